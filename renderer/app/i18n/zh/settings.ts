import type { settings as en } from '../en/settings.ts'
import type { Catalog } from '../index.ts'

export const settings: Catalog<typeof en> = {}
