import type { approvals as en } from '../en/approvals.ts'
import type { Catalog } from '../index.ts'

export const approvals: Catalog<typeof en> = {}
