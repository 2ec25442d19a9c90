import type { predicates as en } from '../en/predicates.ts'
import type { Catalog } from '../index.ts'

export const predicates: Catalog<typeof en> = {}
