import { ArrowLeft, Plus, ScrollText } from 'lucide-react'
import { useState } from 'react'
import type { PredicateInfo } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { cn } from '../../app/lib/cn.ts'
import { useSelection } from '../../app/store/selection.ts'
import { predicates, shares } from '../../app/store/sharing.ts'
import { Badge } from '../../app/ui/badge.tsx'
import { Button } from '../../app/ui/button.tsx'
import { Page, Panes } from '../../app/ui/page.tsx'
import { Card, Panel } from '../../app/ui/panel.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { EmptyState, ErrorState } from '../../app/ui/states.tsx'
import { Time } from '../../app/ui/time.tsx'
import { type Names, useNames } from '../identities/names.ts'
import { RuleEditor } from './editor.tsx'
import { asGroup, type Group, TEMPLATES } from './model.ts'
import { Encoded } from './on-chain.tsx'
import { sayRule } from './say-rule.ts'

interface Draft {
  rule: Group
  name: string
}

export default function PredicatesPage() {
  const t = useT()
  const names = useNames()
  const { data, error, reload } = predicates.use({})
  const [selected, select] = useSelection('predicates')
  const [draft, setDraft] = useState<Draft>()
  const rules = data?.predicates ?? []
  const current = rules.find((p) => p.id === selected)
  const start = (rule: Group, name: string) => setDraft({ rule, name })
  if (draft !== undefined)
    return (
      <Page title={t('predicates.new')} description={t('predicates.lead')} width="full">
        <div className="h-full overflow-y-auto">
          <RuleEditor
            initial={draft.rule}
            initialName={draft.name}
            onClose={() => setDraft(undefined)}
            onPublished={(id) => {
              setDraft(undefined)
              select(id)
            }}
          />
        </div>
      </Page>
    )
  return (
    <Page
      title={t('predicates.title')}
      description={t('predicates.lead')}
      width="full"
      actions={
        <Button
          variant="primary"
          icon={<Plus aria-hidden />}
          onClick={() => start({ kind: 'and', of: [{ kind: 'approval' }] }, '')}
        >
          {t('predicates.new')}
        </Button>
      }
    >
      <Panes
        listLabel={t('predicates.list')}
        detailLabel={current?.label ?? t('predicates.templates.title')}
        detailOpen={current !== undefined || rules.length === 0}
        list={
          error !== undefined && data === undefined ? (
            <ErrorState error={error} onRetry={reload} className="m-3" />
          ) : data === undefined ? (
            <SkeletonLines className="p-4" />
          ) : rules.length === 0 ? (
            <EmptyState icon={<ScrollText />} title={t('predicates.empty.title')}>
              {t('predicates.empty.text')}
            </EmptyState>
          ) : (
            <ul className="min-h-0 flex-1 overflow-y-auto p-2">
              {rules.map((rule) => (
                <li key={rule.id}>
                  <RuleItem rule={rule} current={rule.id === selected} onSelect={() => select(rule.id)} />
                </li>
              ))}
            </ul>
          )
        }
        detail={
          current === undefined ? (
            <Templates names={names} onUse={start} />
          ) : (
            <RuleDetail
              rule={current}
              names={names}
              onBack={() => select(undefined)}
              onUse={() => start(asGroup(current.predicate), '')}
            />
          )
        }
      />
    </Page>
  )
}

function RuleItem({
  rule,
  current,
  onSelect,
}: {
  rule: PredicateInfo
  current: boolean
  onSelect: () => void
}) {
  const t = useT()
  return (
    <button
      type="button"
      aria-current={current || undefined}
      onClick={onSelect}
      className={cn(
        'flex w-full flex-col gap-0.5 rounded-md px-3 py-2 text-start -outline-offset-2 hover:bg-hover',
        current && 'bg-accent-soft hover:bg-accent-soft',
      )}
    >
      <span className="flex items-center justify-between gap-2">
        <span className="truncate text-sm font-medium">{rule.label}</span>
        {rule.state === 'draft' && <Badge tone="warning">{t('predicates.state.draft')}</Badge>}
      </span>
      <span className="truncate text-xs text-muted">{t('predicates.usedBy', { count: rule.usedBy })}</span>
    </button>
  )
}

function RuleDetail({
  rule,
  names,
  onBack,
  onUse,
}: {
  rule: PredicateInfo
  names: Names
  onBack: () => void
  onUse: () => void
}) {
  const t = useT()
  const { data } = shares.use({})
  const under = data?.shares.filter((s) => s.predicateId === rule.id && s.state === 'active') ?? []
  return (
    <article className="mx-auto flex max-w-3xl flex-col gap-4 p-6 max-md:p-4">
      <header className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <Button
            variant="link"
            size="inline"
            className="mb-1 min-[56.25rem]:hidden"
            icon={<ArrowLeft aria-hidden />}
            onClick={onBack}
          >
            {t('predicates.back')}
          </Button>
          <h2 className="text-xl font-semibold break-words">{rule.label}</h2>
          <p className="mt-1 flex flex-wrap items-center gap-2 text-xs text-muted">
            <Badge tone={rule.state === 'published' ? 'success' : 'warning'}>
              {t(`predicates.state.${rule.state}`)}
            </Badge>
            <Time at={rule.createdAt} />
            <span>{t('predicates.usedBy', { count: rule.usedBy })}</span>
          </p>
        </div>
        <Button onClick={onUse}>{t('predicates.use.template')}</Button>
      </header>
      <Panel title={t('predicates.sentence')} level={3}>
        <p>{sayRule(rule.predicate, names.words)}</p>
      </Panel>
      <Panel title={t('predicates.onChain')} level={3}>
        <Encoded id={rule.id} encoding={rule.encoding} />
      </Panel>
      {under.length > 0 && (
        <Panel title={t('predicates.protects')} level={3}>
          <ul className="flex flex-col gap-1 text-sm">
            {under.map((s) => (
              <li key={s.ref}>
                {s.title}
                {s.column !== undefined && <span className="text-muted"> · {s.column}</span>}
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </article>
  )
}

function Templates({ names, onUse }: { names: Names; onUse: (rule: Group, name: string) => void }) {
  const t = useT()
  return (
    <div className="mx-auto flex max-w-3xl flex-col gap-3 p-6 max-md:p-4">
      <h2 className="text-lg font-semibold">{t('predicates.templates.title')}</h2>
      <p className="text-sm text-muted">{t('predicates.select')}</p>
      <div className="grid grid-cols-2 gap-3 max-lg:grid-cols-1">
        {TEMPLATES.map((template) => {
          const title = t(`predicates.template.${template.id}`)
          return (
            <Card key={template.id} className="flex flex-col gap-2">
              <h3 className="text-sm font-semibold">{title}</h3>
              <p className="flex-1 text-sm text-muted">{t(`predicates.template.${template.id}.text`)}</p>
              <div>
                <Button size="sm" onClick={() => onUse(template.build(names.codeHashes), title)}>
                  {t('predicates.use.template')}
                  <span className="sr-only">: {title}</span>
                </Button>
              </div>
            </Card>
          )
        })}
      </div>
    </div>
  )
}
