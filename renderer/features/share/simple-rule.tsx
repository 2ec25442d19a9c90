import { useT } from '../../app/i18n/index.ts'
import { Checkbox, RadioGroup, Switch } from '../../app/ui/checkbox.tsx'
import { Field, FieldGroup } from '../../app/ui/field.tsx'
import type { Names } from '../identities/names.ts'
import { DateInput } from '../predicates/date-input.tsx'
import { FunctionsInput } from '../predicates/functions-input.tsx'
import { endOfDay } from '../predicates/model.ts'
import { NumberInput } from '../predicates/number-input.tsx'
import { PeopleInput } from '../predicates/people-input.tsx'
import type { SimpleRule } from './rule.ts'

const DAY_MS = 86_400_000

/** The questions of the simple rule. `shared`: under a shared identity, so that it has members. */
export function SimpleRuleForm({
  value,
  onChange,
  names,
  shared,
}: {
  value: SimpleRule
  onChange: (value: SimpleRule) => void
  names: Names
  shared: boolean
}) {
  const t = useT()
  const set = (part: Partial<SimpleRule>) => onChange({ ...value, ...part })
  return (
    <div className="flex flex-col gap-4">
      <FieldGroup legend={t('share.recipients')}>
        <RadioGroup
          label={t('share.recipients')}
          value={value.recipients}
          onValueChange={(recipients) => set({ recipients })}
          options={[
            { value: 'anyone', label: t('share.recipients.anyone') },
            ...(shared ? [{ value: 'members' as const, label: t('share.recipients.members') }] : []),
            { value: 'named', label: t('share.recipients.named') },
          ]}
        />
        {value.recipients === 'named' && (
          <PeopleInput
            accounts={value.accounts}
            onChange={(accounts) => set({ accounts })}
            names={names}
            label={t('share.recipients.named')}
          />
        )}
      </FieldGroup>
      <FieldGroup legend={t('share.may')}>
        <FunctionsInput
          functions={value.functions}
          onChange={(functions) => set({ functions })}
          names={names}
        />
      </FieldGroup>
      <Field label={t('share.cohort')}>
        <NumberInput
          min={1}
          max={1_000_000}
          value={value.minimum}
          onValueChange={(minimum) => set({ minimum })}
        />
      </Field>
      <Switch
        label={t('share.approval')}
        checked={value.approval}
        onCheckedChange={(approval) => set({ approval })}
      />
      <div className="flex flex-wrap gap-x-8 gap-y-3">
        <div className="flex min-h-8 flex-wrap items-center gap-3">
          <Checkbox
            label={t('share.expiry.on')}
            checked={value.until !== undefined}
            onCheckedChange={(on) => set({ until: on ? endOfDay(Date.now() + 90 * DAY_MS) : undefined })}
          />
          {value.until !== undefined && (
            <DateInput
              label={t('share.expiry')}
              value={value.until}
              onValueChange={(until) => set({ until })}
            />
          )}
        </div>
        <div className="flex min-h-8 flex-wrap items-center gap-3">
          <Checkbox
            label={t('share.uses.limit')}
            checked={value.uses !== undefined}
            onCheckedChange={(on) => set({ uses: on ? 10 : undefined })}
          />
          {value.uses !== undefined && (
            <NumberInput
              label={t('share.uses')}
              min={1}
              max={1_000_000}
              value={value.uses}
              onValueChange={(uses) => set({ uses })}
            />
          )}
          {value.uses !== undefined && <span className="text-sm">{t('share.uses.unit')}</span>}
        </div>
      </div>
    </div>
  )
}
