import type { Output } from '../../../core/ipc/index.ts'
import { hasMessage, useT } from '../../app/i18n/index.ts'
import { records } from '../../app/store/data.ts'
import { shares } from '../../app/store/sharing.ts'

export type ActivityEntry = Output<'activity.list'>['entries'][number]

/** One entry in a sentence; entries hold ids, which become the titles that the vault knows. */
export function ActivityLine({ entry }: { entry: ActivityEntry }) {
  const t = useT()
  const list = records.use({}).data?.records
  const shared = shares.use({}).data?.shares
  const { facts, kind } = entry
  const recordId = facts.record ?? shared?.find((share) => share.ref === facts.ref)?.recordId
  const title = facts.label ?? list?.find((record) => record.id === recordId)?.title
  const key = `activity.kind.${kind}`
  const titled = `${key}.titled`
  const failed = kind === 'vault.unlocked' && Number(facts.failedAttempts ?? 0) > 0
  if (failed) return t('activity.kind.vault.unlocked.failed', { count: Number(facts.failedAttempts) })
  if (title !== undefined && hasMessage(titled)) return t(titled, { title })
  const functionKey = `home.function.${facts.function}`
  return hasMessage(key)
    ? t(key, { ...facts, function: hasMessage(functionKey) ? t(functionKey) : (facts.function ?? '') })
    : kind
}
