import { Trash2 } from 'lucide-react'
import { useState } from 'react'
import type { Role } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { shorten } from '../../app/lib/format.ts'
import { sharing } from '../../app/store/sharing.ts'
import { useStarted } from '../../app/store/use-started.ts'
import { vaultStatus } from '../../app/store/vault.ts'
import { Button, IconButton } from '../../app/ui/button.tsx'
import { CopyText } from '../../app/ui/copy.tsx'
import { Dialog } from '../../app/ui/dialog.tsx'
import { Field, FieldGroup } from '../../app/ui/field.tsx'
import { Input, Textarea } from '../../app/ui/input.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { Select } from '../../app/ui/select.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import { JobProgress } from '../share/job-progress.tsx'
import { type KeyProblem, type NewMember, readKeys } from './keys.ts'

const ROLES: Role[] = ['viewer', 'member', 'manager', 'owner']

/** Own public key to hand out, with what it is for. */
export function OwnKey() {
  const t = useT()
  const { data } = vaultStatus.use({})
  if (data?.publicKey === undefined) return null
  return (
    <div className="rounded-lg border border-line bg-sunken p-3">
      <p className="text-sm font-medium">{t('identities.yourKey')}</p>
      <CopyText text={data.publicKey} />
      <p className="mt-1 text-xs text-muted">{t('identities.yourKey.text')}</p>
    </div>
  )
}

export function NewIdentityDialog({
  open,
  onOpenChange,
  onCreated,
}: {
  open: boolean
  onOpenChange: (open: boolean) => void
  onCreated: (address: string | undefined) => void
}) {
  const t = useT()
  const { data: status } = vaultStatus.use({})
  const [label, setLabel] = useState('')
  const [members, setMembers] = useState<NewMember[]>([])
  const [pasted, setPasted] = useState('')
  const [problem, setProblem] = useState<KeyProblem>()
  const create = useStarted(sharing.createIdentity)
  const started = create.jobId !== undefined
  const done = create.job?.state === 'done'
  const close = (next: boolean) => {
    if (!next) {
      create.reset()
      setLabel('')
      setMembers([])
      setPasted('')
      setProblem(undefined)
    }
    onOpenChange(next)
  }
  const addPasted = (): NewMember[] | undefined => {
    const read = readKeys(
      pasted,
      members.map((m) => m.publicKey),
      status?.publicKey,
    )
    setProblem(read.problem)
    if (read.problem !== undefined) return undefined
    const all = [...members, ...read.members]
    setMembers(all)
    setPasted('')
    return all
  }
  const change = (publicKey: string, part: Partial<NewMember>) =>
    setMembers((all) => all.map((m) => (m.publicKey === publicKey ? { ...m, ...part } : m)))
  return (
    <Dialog
      open={open}
      onOpenChange={close}
      size="lg"
      dismissible={members.length === 0 && pasted === '' && !started}
      title={t('identities.new')}
      description={t('identities.empty.text')}
      footer={
        started ? (
          <Button
            variant={done ? 'primary' : 'secondary'}
            onClick={() => {
              if (done) onCreated(create.job?.result?.identity)
              close(false)
            }}
          >
            {t('ui.close')}
          </Button>
        ) : (
          <>
            <Button onClick={() => close(false)}>{t('ui.cancel')}</Button>
            <Button
              type="submit"
              form="identity-form"
              variant="primary"
              loading={create.pending}
              disabled={label.trim() === ''}
            >
              {t(create.pending ? 'identities.form.creating' : 'identities.form.create')}
            </Button>
          </>
        )
      }
    >
      {started ? (
        <div className="flex flex-col gap-4">
          <JobProgress job={create.job} label={t('identities.form.creating')} onRetry={create.reset} />
          {done ? (
            <Callout tone="success" title={t('identities.created.toast')}>
              {t('identities.created.text')}
            </Callout>
          ) : (
            members.length > 0 && <p className="text-sm text-muted">{t('identities.consents')}</p>
          )}
        </div>
      ) : (
        <form
          id="identity-form"
          className="flex flex-col gap-5"
          onSubmit={(event) => {
            event.preventDefault()
            const all = pasted.trim() === '' ? members : addPasted()
            if (all === undefined || label.trim() === '') return
            void create.run({
              label: label.trim(),
              members: all.map((m) => ({
                publicKey: m.publicKey,
                role: m.role,
                ...(m.label === '' ? {} : { label: m.label }),
              })),
            })
          }}
        >
          <Field label={t('identities.form.label')} required className="max-w-md">
            <Input
              value={label}
              maxLength={200}
              placeholder={t('identities.form.label.placeholder')}
              onChange={(event) => setLabel(event.target.value)}
            />
          </Field>
          <FieldGroup legend={t('identities.form.members')} hint={t('identities.form.members.text')}>
            <p className="text-sm">
              {members.length === 0 ? t('identities.form.none') : t('identities.form.you')}
            </p>
            {members.length > 0 && (
              <ul className="flex flex-col gap-2">
                {members.map((member, i) => {
                  const name = member.label || shorten(member.publicKey)
                  return (
                    <li key={member.publicKey} className="flex flex-wrap items-center gap-2">
                      <Input
                        className="w-56 max-sm:w-full"
                        aria-label={t('identities.form.memberName', { number: i + 1 })}
                        placeholder={t('identities.form.memberName.placeholder')}
                        value={member.label}
                        maxLength={100}
                        onChange={(event) => change(member.publicKey, { label: event.target.value })}
                      />
                      <span
                        className="min-w-28 flex-1 truncate font-mono text-xs text-muted"
                        title={member.publicKey}
                      >
                        {shorten(member.publicKey)}
                      </span>
                      <Select
                        className="w-32"
                        label={t('identities.form.memberRole', { name })}
                        value={member.role}
                        onValueChange={(role) => change(member.publicKey, { role })}
                        options={ROLES.map((role) => ({
                          value: role,
                          label: t(`identities.role.${role}`),
                          description: t(`identities.role.${role}.text`),
                        }))}
                      />
                      <IconButton
                        size="sm"
                        label={t('identities.form.remove', { name })}
                        onClick={() => setMembers((all) => all.filter((m) => m !== member))}
                      >
                        <Trash2 aria-hidden />
                      </IconButton>
                    </li>
                  )
                })}
              </ul>
            )}
            <Field
              label={t('identities.form.paste')}
              error={problem && t(`identities.problem.${problem.kind}`, { line: problem.line })}
            >
              <Textarea
                rows={3}
                className="font-mono text-xs"
                spellCheck={false}
                autoComplete="off"
                placeholder={t('identities.form.paste.placeholder')}
                value={pasted}
                onChange={(event) => {
                  setPasted(event.target.value)
                  setProblem(undefined)
                }}
              />
            </Field>
            <div>
              <Button size="sm" disabled={pasted.trim() === ''} onClick={addPasted}>
                {t('identities.form.paste.add')}
              </Button>
            </div>
          </FieldGroup>
          <OwnKey />
          {create.error !== undefined && <ErrorState error={create.error} />}
        </form>
      )}
    </Dialog>
  )
}
