import type { declassify as en } from '../en/declassify.ts'
import type { Catalog } from '../index.ts'

export const declassify: Catalog<typeof en> = {}
