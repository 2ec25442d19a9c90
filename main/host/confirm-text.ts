import type { Authority } from '../../core/ipc/index.ts'

export type Language = 'en' | 'zh'

interface Texts {
  title: string
  lead: string
  accept: string
}

export interface ConfirmText extends Texts {
  language: Language
  decline: string
  /** What the owner decides about: label and value. */
  facts: [label: string, value: string][]
  accepted: string
  declined: string
  expired: string
}

const TEXTS: Record<Language, Record<Authority, Texts>> = {
  en: {
    share: {
      title: 'Share this data?',
      lead: 'It is split among holders. Whoever the rule below lets in may compute on it.',
      accept: 'Share',
    },
    approve: {
      title: 'Allow this computation?',
      lead: 'Someone asks to compute on your data. They learn the result below and nothing else.',
      accept: 'Approve',
    },
    declassify: {
      title: 'Reveal this data?',
      lead: 'The shares are put together again, and the value is shown in your vault.',
      accept: 'Reveal to me',
    },
    export: {
      title: 'Write to a file?',
      lead: 'Data leaves the vault and is written to this computer.',
      accept: 'Write',
    },
    spend: {
      title: 'Spend from your account?',
      lead: 'This sends transactions that cost network fees or lock a deposit.',
      accept: 'Spend',
    },
    revoke: {
      title: 'Revoke access?',
      lead: 'Future computations on this data stop. Results that were released cannot be recalled.',
      accept: 'Revoke',
    },
  },
  zh: {
    share: {
      title: '要共享这份数据吗？',
      lead: '数据将拆分给各持有节点。下面的规则允许的人可以用它进行计算。',
      accept: '共享',
    },
    approve: {
      title: '允许这次计算吗？',
      lead: '有人请求使用您的数据进行计算。对方只能得到下面所列的结果，看不到其他内容。',
      accept: '批准',
    },
    declassify: {
      title: '要还原这份数据吗？',
      lead: '各份额将重新合并，数值会显示在您的保险库中。',
      accept: '向我显示',
    },
    export: {
      title: '要写入文件吗？',
      lead: '数据将离开保险库，写入这台电脑。',
      accept: '写入',
    },
    spend: {
      title: '要从您的账户支出吗？',
      lead: '此操作会发送交易，产生网络费用或锁定押金。',
      accept: '支出',
    },
    revoke: {
      title: '要撤销访问权吗？',
      lead: '今后不能再用这份数据进行计算。已经给出的结果无法收回。',
      accept: '撤销',
    },
  },
}

const COMMON = {
  en: {
    decline: 'Do not allow',
    accepted: 'Confirmed. You can close this page.',
    declined: 'Not allowed. Nothing was done. You can close this page.',
    expired: 'This question is no longer open. Nothing was done.',
  },
  zh: {
    decline: '不允许',
    accepted: '已确认。您可以关闭此页面。',
    declined: '未允许，没有执行任何操作。您可以关闭此页面。',
    expired: '这个问题已失效，没有执行任何操作。',
  },
} as const

const LABELS: Record<string, readonly [en: string, zh: string]> = {
  account: ['Account', '账户'],
  amountWei: ['Amount (wei)', '金额（wei）'],
  balanceWei: ['Balance (wei)', '余额（wei）'],
  codeHash: ['Code hash', '代码哈希'],
  committee: ['Committee', '委员会'],
  committeeSize: ['Committee size', '委员会人数'],
  protocol: ['Protocol', '协议'],
  data: ['Data', '数据'],
  depositWei: ['Deposit (wei)', '押金（wei）'],
  entries: ['Entries', '条目'],
  feeWei: ['Fee (wei)', '费用（wei）'],
  fileName: ['File', '文件'],
  function: ['Function', '函数'],
  eachApproved: ['I approve each request', '每次请求须经我批准'],
  functions: ['May compute', '可以计算'],
  holders: ['Holders', '持有节点'],
  id: ['Request', '请求'],
  identity: ['Identity', '身份'],
  length: ['Values', '数值个数'],
  minimumOwners: ['People combined, at least', '至少合并的人数'],
  owners: ['People', '人数'],
  path: ['File', '文件'],
  records: ['Records', '记录'],
  ref: ['Reference', '引用'],
  references: ['References', '引用数'],
  requester: ['Requester', '请求方'],
  reveals: ['What is revealed', '会公开的内容'],
  serve: ['Serve others', '为他人服务'],
  t: ['Threshold', '门限'],
  title: ['Data', '数据'],
  titles: ['Data', '数据'],
  who: ['Who may ask (* anyone)', '谁可以请求（* 任何人）'],
  to: ['To', '至'],
  usesLeft: ['Uses left', '剩余次数'],
}

/** The question of a confirmation in the owner's language. An unknown kind still asks, in the plainest words. */
export function confirmText(
  question: { kind: string; method: string; facts: Record<string, string> },
  language: Language,
): ConfirmText {
  const known = TEXTS[language]
  const texts = Object.hasOwn(known, question.kind)
    ? known[question.kind as Authority]
    : { title: question.method, lead: question.kind, accept: language === 'en' ? 'Confirm' : '确认' }
  const at = language === 'en' ? 0 : 1
  return {
    ...COMMON[language],
    ...texts,
    language,
    facts: Object.entries(question.facts).map(([key, value]) => [LABELS[key]?.[at] ?? key, printable(value)]),
  }
}

/** Titles and labels come from other people: no control or direction characters that could disguise a fact. */
function printable(value: string): string {
  const clean = value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
  return clean.length > 600 ? `${clean.slice(0, 600)}…` : clean
}
