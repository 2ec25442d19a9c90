import type { access as en } from '../en/access.ts'
import type { Catalog } from '../index.ts'

export const access: Catalog<typeof en> = {}
