import { useEffect, useMemo, useState } from 'react'
import type { Output, Predicate } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { formatWei } from '../../app/lib/format.ts'
import { identities, predicates } from '../../app/store/sharing.ts'
import { RadioGroup } from '../../app/ui/checkbox.tsx'
import { Field, FieldGroup } from '../../app/ui/field.tsx'
import { KeyValue } from '../../app/ui/key-value.tsx'
import { Callout } from '../../app/ui/panel.tsx'
import { Select } from '../../app/ui/select.tsx'
import { ShareRing } from '../../app/ui/share-ring.tsx'
import { useNames } from '../identities/names.ts'
import { RuleBuilder } from '../predicates/builder.tsx'
import { asGroup, type Group, normalise, problemOf } from '../predicates/model.ts'
import { sayRule } from '../predicates/say-rule.ts'
import { HOLDERS, maxThreshold, type SimpleRule, toPredicate } from './rule.ts'
import { SimpleRuleForm } from './simple-rule.tsx'

export interface ShareChoice {
  column: string | undefined
  n: number
  t: number
}

type Mode = 'simple' | 'published' | 'custom'
const MYSELF = 'me'

/** What `share.create` gets besides the holders; undefined while the rule is not complete. */
export type ChosenRule = { predicate?: Predicate; predicateId?: string; identity?: string } | undefined

export function ShareForm({
  plan,
  choice,
  onChoice,
  onRule,
}: {
  plan: Output<'share.plan'>
  choice: ShareChoice
  onChoice: (choice: ShareChoice) => void
  onRule: (rule: ChosenRule) => void
}) {
  const t = useT()
  const names = useNames()
  const { data: known } = identities.use({})
  const { data: published } = predicates.use({})
  const [identity, setIdentity] = useState<string>(MYSELF)
  const [mode, setMode] = useState<Mode>('simple')
  const [predicateId, setPredicateId] = useState<string | null>(null)
  const [custom, setCustom] = useState<Group>()
  const [simple, setSimple] = useState<SimpleRule>({
    recipients: 'anyone',
    accounts: [],
    functions: [],
    minimum: 5,
    approval: true,
    until: undefined,
    uses: undefined,
  })
  const mean = names.codeHashes.get('mean')
  const sum = names.codeHashes.get('sum')
  useEffect(() => {
    // The usual choice, once the functions are known and unless something was chosen meanwhile.
    if (mean !== undefined && sum !== undefined)
      setSimple((s) => (s.functions.length === 0 ? { ...s, functions: [mean, sum] } : s))
  }, [mean, sum])
  const mine = known?.identities.filter((i) => i.mine && i.state === 'active' && i.kind === 'shared') ?? []
  const rules = published?.predicates.filter((p) => p.state === 'published') ?? []
  const shared = identity !== MYSELF
  const predicate = useMemo(
    () =>
      mode === 'published'
        ? rules.find((r) => r.id === predicateId)?.predicate
        : mode === 'custom'
          ? custom && normalise(custom)
          : toPredicate(
              !shared && simple.recipients === 'members' ? { ...simple, recipients: 'anyone' } : simple,
            ),
    [mode, rules, predicateId, custom, simple, shared],
  )
  const problem = predicate === undefined ? undefined : problemOf(predicate)
  const ready = predicate !== undefined && problem === undefined
  const key = ready ? JSON.stringify(mode === 'published' ? predicateId : predicate) : ''
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for the rule
  useEffect(() => {
    const under = shared ? { identity } : {}
    if (!ready) onRule(undefined)
    else if (mode === 'published' && predicateId !== null) onRule({ predicateId, ...under })
    else onRule({ predicate, ...under })
  }, [key, shared, identity])
  const spare = choice.n - choice.t - 1
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_20rem] items-start gap-6 max-lg:grid-cols-1">
      <div className="flex flex-col gap-5">
        <div className="grid grid-cols-2 gap-4 max-sm:grid-cols-1">
          {plan.columns.length > 1 && (
            <Field label={t('share.column')} hint={t('share.values', { count: plan.length })}>
              <Select
                value={choice.column ?? null}
                onValueChange={(column) => onChoice({ ...choice, column })}
                options={plan.columns.map((column) => ({ value: column, label: column }))}
              />
            </Field>
          )}
          <Field label={t('share.as')} hint={t('share.as.help')}>
            <Select
              value={identity}
              onValueChange={setIdentity}
              options={[
                { value: MYSELF, label: t('share.as.me') },
                ...mine.map((i) => ({ value: i.address, label: names.name(i.address) })),
              ]}
            />
          </Field>
        </div>
        <FieldGroup legend={t('share.rule')}>
          <RadioGroup
            label={t('share.rule')}
            className="flex-row flex-wrap gap-x-6"
            value={mode}
            onValueChange={(next) => {
              if (next === 'custom' && custom === undefined) setCustom(asGroup(toPredicate(simple)))
              setMode(next)
            }}
            options={[
              { value: 'simple', label: t('share.rule.simple') },
              { value: 'published', label: t('share.rule.published') },
              { value: 'custom', label: t('share.rule.custom') },
            ]}
          />
        </FieldGroup>
        {mode === 'simple' && (
          <SimpleRuleForm value={simple} onChange={setSimple} names={names} shared={shared} />
        )}
        {mode === 'published' &&
          (rules.length === 0 ? (
            <p className="text-sm text-muted">{t('share.rule.nonePublished')}</p>
          ) : (
            <Field label={t('share.rule.choose')}>
              <Select
                value={predicateId}
                onValueChange={setPredicateId}
                options={rules.map((r) => ({
                  value: r.id,
                  label: r.label,
                  description: sayRule(r.predicate, names.words),
                }))}
              />
            </Field>
          ))}
        {mode === 'custom' && custom !== undefined && (
          <RuleBuilder value={custom} onChange={setCustom} names={names} />
        )}
      </div>
      <aside className="flex flex-col gap-4 rounded-lg border border-line bg-sunken p-4">
        <div className="flex items-center gap-4">
          <ShareRing
            size={88}
            threshold={choice.t + 1}
            holders={Array.from({ length: choice.n }, (_, i) => ({ index: i + 1, healthy: true }))}
          />
          <div className="flex min-w-0 flex-1 flex-col gap-2">
            <Field label={t('share.holders.n')}>
              <Select
                value={String(choice.n)}
                onValueChange={(value) =>
                  onChoice({ ...choice, n: Number(value), t: maxThreshold(Number(value)) })
                }
                options={HOLDERS.map((n) => ({ value: String(n), label: String(n) }))}
              />
            </Field>
            <Field label={t('share.holders.t')}>
              <Select
                value={String(choice.t)}
                onValueChange={(value) => onChoice({ ...choice, t: Number(value) })}
                options={Array.from({ length: maxThreshold(choice.n) }, (_, i) => ({
                  value: String(i + 1),
                  label: String(i + 1),
                }))}
              />
            </Field>
          </div>
        </div>
        <p className="text-xs text-muted">
          {t('share.holders.text', { n: choice.n, needed: choice.t + 1, t: choice.t, spare })}
        </p>
        <div>
          <h3 className="text-sm font-medium">{t('share.in.words')}</h3>
          {predicate !== undefined && problem !== 'empty' && (
            <p className="mt-1 text-sm break-words" aria-live="polite">
              {sayRule(predicate, names.words)}
            </p>
          )}
          {problem !== undefined && (
            <Callout tone="warning" className="mt-2">
              {t(`predicates.problem.${problem}`)}
            </Callout>
          )}
        </div>
        <KeyValue
          className="grid-cols-1 gap-y-0.5 border-t border-line pt-3"
          rows={[
            [t('share.what'), t('share.values', { count: plan.length })],
            [
              t('share.cost'),
              <span key="cost" title={t('share.cost.network')}>
                {t('share.cost.value', { amount: `${formatWei(plan.feeWei, 6)} ETH` })}
                <span className="block text-xs text-muted">{t('share.cost.network')}</span>
              </span>,
            ],
          ]}
        />
      </aside>
    </div>
  )
}
