import type { identities as en } from '../en/identities.ts'
import type { Catalog } from '../index.ts'

export const identities: Catalog<typeof en> = {}
