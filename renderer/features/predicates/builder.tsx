import { Plus, Trash2 } from 'lucide-react'
import type { Predicate, Role } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { Button, IconButton } from '../../app/ui/button.tsx'
import { Checkbox } from '../../app/ui/checkbox.tsx'
import { Menu } from '../../app/ui/menu.tsx'
import { Select } from '../../app/ui/select.tsx'
import type { Names } from '../identities/names.ts'
import { DateInput } from './date-input.tsx'
import { FunctionsInput } from './functions-input.tsx'
import {
  CLAUSE_KINDS,
  type Clause,
  edit,
  type Group,
  isGroup,
  MAX_DEPTH,
  newClause,
  type Path,
  positive,
} from './model.ts'
import { NumberInput } from './number-input.tsx'
import { PeopleInput } from './people-input.tsx'
import { clauseText } from './say-rule.ts'

const ROLES: Role[] = ['owner', 'manager', 'member', 'viewer']

interface Editing {
  root: Group
  onChange: (root: Group) => void
  names: Names
}

/** The rule as sentences with blanks: groups of conditions, joined by "all" or "one of". */
export function RuleBuilder({
  value,
  onChange,
  names,
}: {
  value: Group
  onChange: (v: Group) => void
  names: Names
}) {
  return <GroupEditor group={value} path={[]} root={value} onChange={onChange} names={names} />
}

function GroupEditor({ group, path, ...editing }: Editing & { group: Group; path: Path }) {
  const t = useT()
  const { root, onChange } = editing
  const replace = (change: (g: Group) => Predicate | undefined) =>
    onChange(
      edit(root, path, (part) => {
        const { of, negated } = positive(part)
        if (!isGroup(of)) return part
        const next = change(of)
        return next === undefined ? undefined : negated ? { kind: 'not', of: next } : next
      }),
    )
  const append = (part: Predicate) => replace((g) => ({ kind: g.kind, of: [...g.of, part] }))
  const present = new Set(group.of.map((p) => positive(p).of.kind))
  return (
    <div className={path.length === 0 ? '' : 'rounded-lg border border-line bg-sunken p-3'}>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <Select
          label={t('predicates.group.label')}
          className="w-auto min-w-56"
          value={group.kind}
          onValueChange={(kind) => replace((g) => ({ kind, of: g.of }))}
          options={[
            { value: 'and', label: t('predicates.allOf') },
            { value: 'or', label: t('predicates.anyOf') },
          ]}
        />
        {path.length > 0 && (
          <IconButton label={t('predicates.removeGroup')} onClick={() => replace(() => undefined)}>
            <Trash2 aria-hidden />
          </IconButton>
        )}
      </div>
      <ul className="mt-3 flex flex-col gap-2">
        {group.of.map((part, i) => {
          const child = [...path, i]
          const { of } = positive(part)
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: conditions have no identity but their place
            <li key={i}>
              {isGroup(of) ? (
                <GroupEditor group={of} path={child} {...editing} />
              ) : (
                <ClauseRow part={part} clause={of} path={child} {...editing} />
              )}
            </li>
          )
        })}
      </ul>
      <div className="mt-3">
        <Menu
          align="start"
          trigger={
            <Button size="sm" icon={<Plus aria-hidden />}>
              {t('predicates.add')}
            </Button>
          }
          items={[
            ...CLAUSE_KINDS.map((kind) => ({
              label: t(`predicates.kind.${kind}`),
              disabled: kind !== 'keys' && kind !== 'role' && present.has(kind),
              onSelect: () => append(newClause(kind)),
            })),
            ...(path.length + 1 < MAX_DEPTH
              ? [
                  {
                    label: t('predicates.addGroup'),
                    separated: true,
                    onSelect: () => append({ kind: group.kind === 'and' ? 'or' : 'and', of: [] }),
                  },
                ]
              : []),
          ]}
        />
      </div>
    </div>
  )
}

function ClauseRow({
  part,
  clause,
  path,
  root,
  onChange,
  names,
}: Editing & { part: Predicate; clause: Clause; path: Path }) {
  const t = useT()
  const { negated } = positive(part)
  const set = (next: Clause, not = negated) =>
    onChange(edit(root, path, () => (not ? { kind: 'not', of: next } : next)))
  return (
    <div className="flex flex-col gap-2 rounded-lg border border-line bg-surface px-3 py-2">
      <div className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-2">
        <span className="text-sm font-medium">{t(`predicates.field.${clause.kind}`)}</span>
        <ClauseControl clause={clause} onChange={set} />
        <span className="ms-auto flex items-center gap-1">
          <Checkbox
            label={<span className="text-xs text-muted">{t('predicates.negate')}</span>}
            checked={negated}
            onCheckedChange={(not) => set(clause, not)}
          />
          <IconButton
            size="sm"
            label={t('predicates.remove', { what: clauseText(clause, negated, names.words) })}
            onClick={() => onChange(edit(root, path, () => undefined))}
          >
            <Trash2 aria-hidden />
          </IconButton>
        </span>
      </div>
      {clause.kind === 'functions' && (
        <FunctionsInput
          functions={clause.functions}
          names={names}
          onChange={(functions) => set({ kind: 'functions', functions })}
        />
      )}
      {clause.kind === 'keys' && (
        <PeopleInput
          accounts={clause.accounts}
          names={names}
          label={t('predicates.field.keys')}
          onChange={(accounts) => set({ kind: 'keys', accounts })}
        />
      )}
    </div>
  )
}

function ClauseControl({ clause, onChange }: { clause: Clause; onChange: (clause: Clause) => void }) {
  const t = useT()
  const label = t(`predicates.field.${clause.kind}`)
  switch (clause.kind) {
    case 'cohort':
      return (
        <NumberInput
          label={label}
          min={2}
          max={1_000_000}
          value={clause.minimum}
          onValueChange={(minimum) => onChange({ kind: 'cohort', minimum })}
        />
      )
    case 'uses':
      return (
        <NumberInput
          label={label}
          min={1}
          max={1_000_000}
          value={clause.count}
          onValueChange={(count) => onChange({ kind: 'uses', count })}
        />
      )
    case 'expiry':
      return (
        <DateInput
          label={label}
          value={clause.until}
          onValueChange={(until) => onChange({ kind: 'expiry', until })}
        />
      )
    case 'role':
      return (
        <Select
          label={label}
          className="w-36"
          value={clause.role}
          onValueChange={(role) => onChange({ kind: 'role', role })}
          options={ROLES.map((role) => ({ value: role, label: t(`identities.role.${role}`) }))}
        />
      )
    default:
      return null
  }
}
