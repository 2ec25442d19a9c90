import type { share as en } from '../en/share.ts'
import type { Catalog } from '../index.ts'

export const share: Catalog<typeof en> = {}
