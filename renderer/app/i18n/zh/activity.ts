import type { activity as en } from '../en/activity.ts'
import type { Catalog } from '../index.ts'

export const activity: Catalog<typeof en> = {}
