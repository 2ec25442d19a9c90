import type { node as en } from '../en/node.ts'
import type { Catalog } from '../index.ts'

export const node: Catalog<typeof en> = {}
