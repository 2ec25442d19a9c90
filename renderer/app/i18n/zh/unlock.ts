import type { Catalog } from '../catalog.ts'
import type { unlock as en } from '../en/unlock.ts'

export const unlock: Catalog<typeof en> = {
  title: '解锁保险库',
  password: '密码',
  go: '解锁',
  working: '正在解锁……',
  wrong: '这个密码打不开保险库。',
  backoff: '请等待{time}后再试。',
  'backoff.why': '多次输错后等待时间会变长，以防有人大量尝试。',
  forgot: '忘记密码？使用 24 个单词',
  'recover.title': '设置新密码',
  'recover.text': '凭 24 个单词可以用新密码打开这个保险库，里面的内容保持不变。',
  'recover.go': '设置密码并解锁',
}
