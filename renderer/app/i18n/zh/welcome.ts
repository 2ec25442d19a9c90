import type { welcome as en } from '../en/welcome.ts'
import type { Catalog } from '../index.ts'

export const welcome: Catalog<typeof en> = {}
