import type { home as en } from '../en/home.ts'
import type { Catalog } from '../index.ts'

export const home: Catalog<typeof en> = {}
