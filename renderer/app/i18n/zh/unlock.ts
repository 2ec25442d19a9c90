import type { unlock as en } from '../en/unlock.ts'
import type { Catalog } from '../index.ts'

export const unlock: Catalog<typeof en> = {}
