import { CircleCheck, CircleX, Plus, Trash2 } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { Input, Predicate, Role } from '../../../core/ipc/index.ts'
import { hasMessage, useT } from '../../app/i18n/index.ts'
import { predicateTest } from '../../app/store/sharing.ts'
import { useLast, useSettled } from '../../app/store/use-settled.ts'
import { Badge } from '../../app/ui/badge.tsx'
import { Button, IconButton } from '../../app/ui/button.tsx'
import { Checkbox } from '../../app/ui/checkbox.tsx'
import { Select } from '../../app/ui/select.tsx'
import { ErrorState } from '../../app/ui/states.tsx'
import type { Names } from '../identities/names.ts'
import { isGroup, positive } from './model.ts'
import { NumberInput } from './number-input.tsx'

type Who = 'me' | 'owner' | 'named' | 'member' | 'manager' | 'viewer' | 'stranger'
type Day = 'now' | 'month' | 'year'
type Case = Input<'predicate.test'>['cases'][number]

interface Row {
  key: number
  who: Who
  function: string
  cohort: number
  uses: number
  day: Day
  approved: boolean
}

/** An account that belongs to nobody. */
const STRANGER = `0x${'5'.repeat(40)}`
const OTHER_CODE = `0x${'0'.repeat(63)}1`
const DAYS: Record<Day, number> = { now: 0, month: 30, year: 365 }

function accountsIn(rule: Predicate): string[] {
  const { of } = positive(rule)
  if (isGroup(of)) return of.of.flatMap(accountsIn)
  return of.kind === 'keys' ? of.accounts : []
}

function toCase(row: Row, rule: Predicate, me: string, now: number): Case {
  const named = accountsIn(rule).find((account) => account !== me)
  const account =
    row.who === 'me' || row.who === 'owner' ? me : row.who === 'named' ? (named ?? STRANGER) : STRANGER
  const roles: Partial<Record<Who, Role>> = {
    member: 'member',
    manager: 'manager',
    viewer: 'viewer',
    owner: 'owner',
  }
  const role = roles[row.who]
  return {
    account,
    ...(role === undefined ? {} : { role }),
    isOwner: row.who === 'owner',
    function: row.function,
    cohort: row.cohort,
    approved: row.approved,
    uses: row.uses,
    at: now + DAYS[row.day] * 86_400_000,
  }
}

/** Cases that the rule should let in or refuse, answered by the code of the holders. */
export function TestCases({ rule, names }: { rule: Predicate | undefined; names: Names }) {
  const t = useT()
  const [now] = useState(() => Math.floor(Date.now() / 1000) * 1000)
  const mean = names.codeHashes.get('mean') ?? OTHER_CODE
  const [rows, setRows] = useState<Row[]>(() => [
    { key: 1, who: 'stranger', function: mean, cohort: 10, uses: 0, day: 'now', approved: true },
    { key: 2, who: 'stranger', function: mean, cohort: 2, uses: 0, day: 'now', approved: true },
    { key: 3, who: 'stranger', function: mean, cohort: 10, uses: 0, day: 'now', approved: false },
  ])
  const question = useMemo(
    () =>
      rule === undefined || names.me === undefined
        ? undefined
        : {
            predicate: rule,
            // Rows made before the functions were known ask about the mean all the same.
            cases: rows.map((row) =>
              toCase(
                { ...row, function: row.function === OTHER_CODE && row.key < 4 ? mean : row.function },
                rule,
                names.me!,
                now,
              ),
            ),
          },
    [rule, rows, names.me, now, mean],
  )
  const settled = useSettled(question)
  const { data, error, reload } = predicateTest.use(question === undefined ? undefined : settled)
  const results = useLast(data)?.results
  const change = (key: number, part: Partial<Row>) =>
    setRows((all) => all.map((row) => (row.key === key ? { ...row, ...part } : row)))
  const functionOptions = [
    ...[...names.codeHashes.values()].map((hash) => ({ value: hash, label: names.functionName(hash) })),
    { value: OTHER_CODE, label: t('predicates.tests.function.other') },
  ]
  const whos: Who[] = ['stranger', 'named', 'member', 'manager', 'viewer', 'owner', 'me']
  const heads = ['who', 'function', 'cohort', 'uses', 'day', 'approved', 'answer'] as const
  return (
    <div className="flex flex-col gap-3">
      {error !== undefined && <ErrorState error={error} onRetry={reload} compact />}
      <section
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label={t('predicates.tests.title')}
        className="overflow-x-auto"
      >
        <table className="w-full min-w-176 text-sm">
          <thead>
            <tr className="text-start text-xs text-muted">
              {heads.map((head) => (
                <th key={head} scope="col" className="px-1.5 pb-1 text-start font-medium">
                  {t(`predicates.tests.${head}`)}
                </th>
              ))}
              <td />
            </tr>
          </thead>
          <tbody>
            {rows.map((row, i) => {
              const number = i + 1
              const name = (what: (typeof heads)[number]) =>
                `${t('predicates.tests.case', { number })}: ${t(`predicates.tests.${what}`)}`
              return (
                <tr key={row.key}>
                  <td className="w-36 p-1.5">
                    <Select
                      label={name('who')}
                      value={row.who}
                      onValueChange={(who) => change(row.key, { who })}
                      options={whos.map((who) => ({ value: who, label: t(`predicates.tests.who.${who}`) }))}
                    />
                  </td>
                  <td className="w-40 p-1.5">
                    <Select
                      label={name('function')}
                      value={row.function === OTHER_CODE && row.key < 4 ? mean : row.function}
                      onValueChange={(hash) => change(row.key, { function: hash })}
                      options={functionOptions}
                    />
                  </td>
                  <td className="p-1.5">
                    <NumberInput
                      label={name('cohort')}
                      className="w-16"
                      min={0}
                      max={1_000_000}
                      value={row.cohort}
                      onValueChange={(cohort) => change(row.key, { cohort })}
                    />
                  </td>
                  <td className="p-1.5">
                    <NumberInput
                      label={name('uses')}
                      className="w-16"
                      min={0}
                      max={1_000_000}
                      value={row.uses}
                      onValueChange={(uses) => change(row.key, { uses })}
                    />
                  </td>
                  <td className="w-32 p-1.5">
                    <Select
                      label={name('day')}
                      value={row.day}
                      onValueChange={(day) => change(row.key, { day })}
                      options={(['now', 'month', 'year'] as const).map((day) => ({
                        value: day,
                        label: t(`predicates.tests.day.${day}`),
                      }))}
                    />
                  </td>
                  <td className="p-1.5">
                    <Checkbox
                      label={<span className="sr-only">{name('approved')}</span>}
                      checked={row.approved}
                      onCheckedChange={(approved) => change(row.key, { approved })}
                    />
                  </td>
                  <td className="min-w-36 p-1.5" aria-live="polite">
                    <Answer result={rule === undefined ? undefined : results?.[i]} />
                  </td>
                  <td className="p-1.5">
                    <IconButton
                      size="sm"
                      label={t('predicates.tests.remove', { number })}
                      onClick={() => setRows((all) => all.filter((r) => r.key !== row.key))}
                    >
                      <Trash2 aria-hidden />
                    </IconButton>
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </section>
      <div>
        <Button
          size="sm"
          icon={<Plus aria-hidden />}
          disabled={rows.length >= 50}
          onClick={() =>
            setRows((all) => [
              ...all,
              {
                ...(all.at(-1) ?? { who: 'stranger', cohort: 5, uses: 0, day: 'now', approved: true }),
                function: all.at(-1)?.function ?? mean,
                key: Math.max(3, ...all.map((r) => r.key)) + 1,
              } as Row,
            ])
          }
        >
          {t('predicates.tests.add')}
        </Button>
      </div>
    </div>
  )
}

function Answer({ result }: { result: { allowed: boolean; reason?: string | undefined } | undefined }) {
  const t = useT()
  if (result === undefined) return <span className="text-muted">—</span>
  const key = `predicates.reason.${result.reason ?? ''}`
  const reason = hasMessage(key) ? t(key) : result.reason
  return (
    <span className="flex flex-col items-start gap-0.5">
      <Badge
        tone={result.allowed ? 'success' : 'danger'}
        icon={result.allowed ? <CircleCheck aria-hidden /> : <CircleX aria-hidden />}
      >
        {t(result.allowed ? 'predicates.tests.allowed' : 'predicates.tests.refused')}
      </Badge>
      {!result.allowed && reason !== undefined && <span className="text-xs text-muted">{reason}</span>}
    </span>
  )
}
