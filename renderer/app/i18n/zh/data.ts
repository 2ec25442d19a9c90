import type { data as en } from '../en/data.ts'
import type { Catalog } from '../index.ts'

export const data: Catalog<typeof en> = {}
