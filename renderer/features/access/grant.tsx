import { useState } from 'react'
import type { AccessGrant } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { shares } from '../../app/store/sharing.ts'
import { Button } from '../../app/ui/button.tsx'
import { CopyText } from '../../app/ui/copy.tsx'
import { Details } from '../../app/ui/details.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Panel } from '../../app/ui/panel.tsx'
import { ShareRingFigure } from '../../app/ui/share-ring.tsx'
import { Time } from '../../app/ui/time.tsx'
import type { Names } from '../identities/names.ts'
import { sayRule } from '../predicates/say-rule.ts'
import { Detail } from '../share/detail.tsx'
import { RevokeDialog } from './revoke.tsx'
import { GrantState } from './state.tsx'

/** One grant: the rule in words, what is left of it, where the shares are, and the way to end it. */
export function GrantDetail({
  grant,
  names,
  onBack,
}: {
  grant: AccessGrant
  names: Names
  onBack: () => void
}) {
  const t = useT()
  const [revoking, setRevoking] = useState(false)
  const { data } = shares.use({})
  const share = data?.shares.find((s) => s.ref === grant.ref)
  const open = grant.state !== 'revoked'
  return (
    <Detail
      title={grant.title}
      backLabel={t('access.title')}
      onBack={onBack}
      facts={
        <>
          <GrantState state={grant.state} />
          <span>{t('access.computations', { count: grant.computations })}</span>
          {grant.lastUsedAt !== undefined && <Time at={grant.lastUsedAt} />}
        </>
      }
      actions={
        open && (
          <Button variant="danger-quiet" onClick={() => setRevoking(true)}>
            {t('access.revoke')}
          </Button>
        )
      }
    >
      <Panel title={t('access.rule')} level={3}>
        <p className="mb-4">{sayRule(grant.predicate, names.words)}</p>
        <KeyValue
          rows={[
            [
              t('access.column.who'),
              grant.accounts.length === 0
                ? t('access.anyone')
                : grant.accounts.map((a) => names.name(a)).join(', '),
            ],
            [
              t('access.column.what'),
              grant.functions.length === 0
                ? t('access.anyPurpose')
                : grant.functions.map((f) => names.functionName(f)).join(', '),
            ],
            [
              t('access.column.until'),
              grant.expiresAt === undefined ? (
                t('access.noEnd')
              ) : (
                <Time key="until" at={grant.expiresAt} absolute />
              ),
            ],
            [
              t('access.column.left'),
              grant.usesLeft === undefined
                ? t('access.unlimited')
                : t('access.usesLeft', { count: grant.usesLeft }),
            ],
            [t('access.identity'), grant.identity.label || names.name(grant.identity.address)],
          ]}
        />
      </Panel>
      {share !== undefined && (
        <Panel title={t('access.holders')} level={3}>
          <ShareRingFigure
            holders={share.holders}
            threshold={share.t + 1}
            revoked={share.state === 'revoked'}
          />
        </Panel>
      )}
      {open && <p className="text-xs text-muted">{t('access.revoke.effect')}</p>}
      <Details>
        <p className="text-xs text-muted">{t('access.reference')}</p>
        <CopyText text={grant.ref} />
        <p className="mt-2 text-xs text-muted">{t('access.ruleId')}</p>
        <CopyText text={grant.predicateId} />
      </Details>
      <RevokeDialog reference={grant.ref} title={grant.title} open={revoking} onOpenChange={setRevoking} />
    </Detail>
  )
}
