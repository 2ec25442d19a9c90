import type { shell as en } from '../en/shell.ts'
import type { Catalog } from '../index.ts'

export const shell: Catalog<typeof en> = {}
