import type { Output } from '../../../core/ipc/index.ts'
import { currentLanguage, useT } from '../../app/i18n/index.ts'
import { useAction } from '../../app/store/action.ts'
import { invitations, sharing } from '../../app/store/sharing.ts'
import { Button } from '../../app/ui/button.tsx'
import { Hash } from '../../app/ui/copy.tsx'
import { Details } from '../../app/ui/details.tsx'
import { Card } from '../../app/ui/panel.tsx'
import { ErrorState, HostConfirmation } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'
import type { Names } from './names.ts'

type Invited = Output<'identity.invitations'>['invitations'][number]

/** Shared identities that ask this person to join. */
export function Invitations({ names }: { names: Names }) {
  const t = useT()
  const { data } = invitations.use({})
  if (data === undefined || data.invitations.length === 0) return null
  return (
    <section
      aria-label={t('identities.invite.title', { count: data.invitations.length })}
      className="flex flex-col gap-3"
    >
      {data.invitations.map((invitation) => (
        <Invitation key={invitation.address} invitation={invitation} names={names} />
      ))}
    </section>
  )
}

function Invitation({ invitation, names }: { invitation: Invited; names: Names }) {
  const t = useT()
  const answer = useAction((accept: boolean) => sharing.join(invitation.address, accept))
  const own = invitation.members.find((m) => m.account === names.me)
  const others = new Intl.ListFormat(currentLanguage() === 'zh' ? 'zh-Hans' : 'en').format(
    invitation.members.map((m) => names.name(m.account)),
  )
  return (
    <Card className="flex flex-col gap-3 border-accent-line">
      <div>
        <h2 className="text-sm font-semibold">
          {t('identities.invite.from', { who: names.name(invitation.from) })}
        </h2>
        <p className="text-sm text-muted">
          {t('identities.invite.members', { names: others })}
          {own !== undefined && (
            <> · {t('identities.invite.as', { role: t(`identities.role.${own.role}`) })}</>
          )}{' '}
          · <Time at={invitation.at} />
        </p>
        <p className="mt-1 text-sm">{t('identities.invite.text')}</p>
      </div>
      {answer.pending && <HostConfirmation kind="approve" />}
      {answer.error !== undefined && <ErrorState error={answer.error} />}
      <div className="flex flex-wrap items-center gap-2">
        <Button variant="primary" loading={answer.pending} onClick={() => void answer.run(true)}>
          {t(answer.pending ? 'identities.invite.joining' : 'identities.invite.accept')}
        </Button>
        <Button disabled={answer.pending} onClick={() => void answer.run(false)}>
          {t('identities.invite.decline')}
        </Button>
      </div>
      <Details>
        <Hash value={invitation.address} full />
      </Details>
    </Card>
  )
}
