import type { Settings } from '../../../core/ipc/index.ts'
import { useT } from '../../app/i18n/index.ts'
import { useAction } from '../../app/store/action.ts'
import { saveSettings, settings } from '../../app/store/settings.ts'
import { RadioGroup, Switch } from '../../app/ui/checkbox.tsx'
import { Field } from '../../app/ui/field.tsx'
import { Panel } from '../../app/ui/panel.tsx'
import { Select } from '../../app/ui/select.tsx'
import { SkeletonLines } from '../../app/ui/skeleton.tsx'
import { ErrorState } from '../../app/ui/states.tsx'

/** Language, theme, role, notifications: saved as soon as they are changed. */
export function General() {
  const t = useT()
  const { data, error, reload } = settings.use({})
  const save = useAction((change: Partial<Settings>) => saveSettings(change))
  if (data === undefined)
    return error === undefined ? <SkeletonLines /> : <ErrorState error={error} onRetry={reload} />
  return (
    <div className="flex flex-col gap-4">
      {save.error !== undefined && <ErrorState error={save.error} />}
      <Panel title={t('settings.appearance')}>
        <div className="grid grid-cols-2 gap-4 max-sm:grid-cols-1">
          <Field label={t('settings.language')}>
            <Select<Settings['language']>
              value={data.language}
              onValueChange={(language) => void save.run({ language })}
              options={[
                { value: 'en', label: 'English' },
                { value: 'zh', label: '简体中文' },
              ]}
            />
          </Field>
          <Field label={t('settings.theme')}>
            <Select<Settings['theme']>
              value={data.theme}
              onValueChange={(theme) => void save.run({ theme })}
              options={(['system', 'light', 'dark'] as const).map((value) => ({
                value,
                label: t(`shell.theme.${value}`),
              }))}
            />
          </Field>
        </div>
      </Panel>
      <Panel title={t('welcome.role')}>
        <RadioGroup<Settings['role']>
          label={t('welcome.role')}
          value={data.role}
          onValueChange={(role) => void save.run({ role })}
          options={(['person', 'seller', 'operator'] as const).map((value) => ({
            value,
            label: t(`welcome.role.${value}`),
            hint: t(`welcome.role.${value}.hint`),
          }))}
        />
      </Panel>
      <Panel title={t('settings.notifications')}>
        <Switch
          label={t('settings.notifications.label')}
          hint={t('settings.notifications.hint')}
          checked={data.notifications}
          onCheckedChange={(notifications) => void save.run({ notifications })}
        />
      </Panel>
    </div>
  )
}
