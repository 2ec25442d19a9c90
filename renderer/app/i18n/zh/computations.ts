import type { computations as en } from '../en/computations.ts'
import type { Catalog } from '../index.ts'

export const computations: Catalog<typeof en> = {}
