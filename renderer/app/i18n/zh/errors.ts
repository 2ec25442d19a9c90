import type { errors as en } from '../en/errors.ts'
import type { Catalog } from '../index.ts'

export const errors: Catalog<typeof en> = {
  'INTERNAL.what': '应用内部出了问题。',
  'INTERNAL.lost': '已保存的数据没有变化。',
  'INTERNAL.todo': '请重试。如果再次发生，下面的代码和信息有助于查找原因。',
}
