/**
 * Invented people, values and digests for looking at and testing the screens without a node. Nothing of this
 * is reachable from the app.
 */
import type {
  ChecklistItem,
  Identity,
  Job,
  NewValue,
  NodeStatus,
  Output,
  Predicate,
  PredicateInfo,
  RecordSummary,
  RecordValue,
  Settings,
  ShareInfo,
} from '../../core/ipc/index.ts'

export const NOW = Date.now()
export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

/** A digest-like value that depends only on its seed. */
export function hex(seed: string, bytes: number): string {
  let state = 2166136261
  for (const c of seed) state = Math.imul(state ^ c.charCodeAt(0), 16777619)
  let out = '0x'
  for (let i = 0; i < bytes; i++) {
    state = Math.imul(state ^ (state >>> 13), 1274126177) + i
    out += ((state >>> 16) & 255).toString(16).padStart(2, '0')
  }
  return out
}
export const hash = (seed: string) => hex(`hash ${seed}`, 32)
export const address = (seed: string) => hex(`address ${seed}`, 20)
const key = (seed: string) => `0x02${hex(`key ${seed}`, 32).slice(2)}`

export const me = address('me')
const holders = (n: number, sick: number[] = []) =>
  Array.from({ length: n }, (_, i) => ({
    index: i + 1,
    nodeId: address(`node ${i}`),
    healthy: !sick.includes(i + 1),
  }))

export const identities: Identity[] = [
  {
    address: address('union'),
    label: 'Salary survey 2026',
    kind: 'shared',
    members: [
      { account: me, publicKey: key('me'), role: 'owner' },
      { account: address('mina'), publicKey: key('mina'), role: 'manager', label: 'Mina (works council)' },
      { account: address('li'), publicKey: key('li'), role: 'member', label: '李晓' },
      { account: address('jonas'), publicKey: key('jonas'), role: 'viewer' },
    ],
    state: 'active',
    createdAt: NOW - 42 * day,
    mine: true,
  },
  {
    address: address('self'),
    label: 'Me',
    kind: 'pseudonym',
    members: [{ account: me, publicKey: key('me'), role: 'owner' }],
    state: 'active',
    createdAt: NOW - 90 * day,
    mine: true,
  },
  {
    address: address('clinic'),
    label: 'Blood pressure study',
    kind: 'shared',
    members: [
      { account: address('clinic lead'), publicKey: key('clinic lead'), role: 'owner', label: 'Study team' },
      { account: me, publicKey: key('me'), role: 'member' },
    ],
    state: 'pending',
    createdAt: NOW - 2 * hour,
    mine: false,
  },
]

export const invitations: Output<'identity.invitations'>['invitations'] = [
  {
    address: address('commute'),
    from: address('jonas'),
    members: [
      { account: address('jonas'), role: 'owner' },
      { account: me, role: 'member' },
      { account: address('li'), role: 'member' },
    ],
    at: NOW - 35 * minute,
  },
]

export const salaryRule: Predicate = {
  kind: 'and',
  of: [
    { kind: 'functions', functions: [hash('mean'), hash('variance')] },
    { kind: 'cohort', minimum: 5 },
    { kind: 'approval' },
    { kind: 'expiry', until: NOW + 120 * day },
    { kind: 'uses', count: 3 },
  ],
}
export const studyRule: Predicate = {
  kind: 'or',
  of: [
    { kind: 'owner' },
    {
      kind: 'and',
      of: [
        { kind: 'role', role: 'manager' },
        { kind: 'cohort', minimum: 20 },
      ],
    },
  ],
}

export const predicates: PredicateInfo[] = [
  {
    id: hash('salary rule'),
    label: 'Only averages, at least 5 people, ask me first',
    predicate: salaryRule,
    encoding: hex('salary encoding', 180),
    state: 'published',
    createdAt: NOW - 40 * day,
    usedBy: 2,
  },
  {
    id: hash('study rule'),
    label: 'Study team with 20 people or more',
    predicate: studyRule,
    encoding: hex('study encoding', 96),
    state: 'published',
    createdAt: NOW - 6 * day,
    usedBy: 1,
  },
  {
    id: hash('draft rule'),
    label: 'Nobody but me',
    predicate: { kind: 'owner' },
    encoding: '0x01',
    state: 'draft',
    createdAt: NOW - 3 * hour,
    usedBy: 0,
  },
]

export const shares: ShareInfo[] = [
  {
    ref: hash('salary share'),
    recordId: 'rec-salary',
    title: 'Gross salary 2025',
    identity: address('union'),
    predicateId: hash('salary rule'),
    n: 5,
    t: 2,
    length: 1,
    holders: holders(5),
    state: 'active',
    createdAt: NOW - 12 * day,
  },
  {
    ref: hash('pressure share'),
    recordId: 'rec-pressure',
    title: 'Blood pressure, mornings',
    identity: address('self'),
    predicateId: hash('study rule'),
    n: 7,
    t: 3,
    length: 92,
    holders: holders(7, [3, 6]),
    state: 'active',
    createdAt: NOW - 5 * day,
  },
  {
    ref: hash('household share'),
    recordId: 'rec-household',
    title: 'Household spending',
    column: 'amount',
    identity: address('union'),
    predicateId: hash('salary rule'),
    n: 5,
    t: 2,
    length: 486,
    holders: holders(5, [2]),
    state: 'active',
    createdAt: NOW - 2 * day,
  },
  {
    ref: hash('household share 2'),
    recordId: 'rec-household',
    title: 'Household spending',
    column: 'persons',
    identity: address('self'),
    predicateId: hash('study rule'),
    n: 5,
    t: 2,
    length: 486,
    holders: holders(5),
    state: 'revoked',
    createdAt: NOW - 30 * day,
  },
]

/** A value as a whole. */
export type Value = NewValue | Extract<RecordValue, { type: 'file' }>

export const values: Record<string, Value> = {
  'rec-salary': { type: 'number', value: '58240.50', unit: '€' },
  'rec-pressure': {
    type: 'timeseries',
    unit: 'mmHg',
    points: Array.from({ length: 92 }, (_, i) => ({
      at: NOW - (92 - i) * day,
      value: (128 + 9 * Math.sin(i / 7) + ((i * 37) % 11) - 5).toFixed(1),
    })),
  },
  'rec-household': {
    type: 'table',
    columns: [
      { name: 'date', kind: 'date' },
      { name: 'category', kind: 'text' },
      { name: 'amount', kind: 'number' },
      { name: 'persons', kind: 'number' },
    ],
    rows: Array.from({ length: 486 }, (_, i) => [
      new Date(NOW - (486 - i) * day).toISOString().slice(0, 10),
      ['Groceries', 'Rent', '交通', 'Energy', 'Leisure'][i % 5]!,
      (8 + ((i * 7919) % 9700) / 100).toFixed(2),
      String(1 + (i % 4)),
    ]),
  },
  'rec-note': {
    type: 'text',
    value:
      'Passport and insurance numbers.\n\nPassport: C01X 0006 H\nValid until: 2031-04-12\nInsurance: A 123 456 780\n\n重要：原件放在书房左边的抽屉里。',
  },
  'rec-scan': {
    type: 'file',
    fileName: 'employment-contract-signed.pdf',
    mediaType: 'application/pdf',
    bytes: 1_842_113,
    digest: hash('scan'),
  },
  'rec-steps': { type: 'number', value: '-0.0000012300' },
}

function summary(
  id: string,
  title: string,
  tags: string[],
  updatedAgo: number,
  more: Partial<RecordSummary> = {},
): RecordSummary {
  const value = values[id]!
  const own = shares.filter((s) => s.recordId === id && s.state === 'active')
  const worst = own
    .map((s) => ({ healthy: s.holders.filter((h) => h.healthy).length, n: s.n, t: s.t }))
    .sort((a, b) => a.healthy - a.t - (b.healthy - b.t))[0]
  const preview =
    value.type === 'number'
      ? `${value.value}${value.unit === undefined ? '' : ` ${value.unit}`}`
      : value.type === 'text'
        ? value.value.split('\n')[0]!
        : value.type === 'file'
          ? value.fileName
          : value.type === 'table'
            ? value.columns.map((c) => c.name).join(', ')
            : `${value.points.length} × ${value.unit}`
  return {
    id,
    title,
    type: value.type,
    tags,
    createdAt: NOW - 60 * day,
    updatedAt: NOW - updatedAgo,
    preview,
    ...(value.type === 'table' ? { rows: value.rows.length } : {}),
    ...(value.type === 'timeseries' ? { rows: value.points.length } : {}),
    ...(value.type === 'file' ? { bytes: value.bytes } : {}),
    shared: own.length,
    holdersHealthy: worst?.healthy ?? 0,
    holdersTotal: worst?.n ?? 0,
    threshold: worst?.t ?? 0,
    ...more,
  }
}

export const records: RecordSummary[] = [
  summary('rec-salary', 'Gross salary 2025', ['work', 'finance'], 12 * day),
  summary('rec-pressure', 'Blood pressure, mornings', ['health'], 5 * hour),
  summary('rec-household', 'Household spending', ['finance', '家庭'], 2 * day),
  summary('rec-note', '证件与保险号码', ['documents'], 20 * day),
  summary(
    'rec-scan',
    'Employment contract (signed scan) with a title that is longer than the list is wide',
    ['work', 'documents'],
    33 * day,
  ),
]
export const trash: RecordSummary[] = [
  summary('rec-steps', 'Calibration offset', [], 3 * day, { removedAt: NOW - 3 * hour }),
]

export const settings: Settings = {
  language: 'en',
  theme: 'system',
  autoLockMinutes: 15,
  role: 'person',
  storageQuotaBytes: 2_000_000_000,
  notifications: true,
}

export const checklist: ChecklistItem[] = [
  {
    id: 'durability',
    state: 'attention',
    facts: { shares: 3, weak: 2, lost: 0 },
  },
  { id: 'approvals', state: 'attention', facts: { waiting: 2 } },
  { id: 'backup', state: 'attention', facts: {} },
  { id: 'rehearsal', state: 'ok', facts: { at: NOW - 9 * day } },
  { id: 'node', state: 'ok', facts: { state: 'running', peers: 6 } },
  { id: 'chain', state: 'ok', facts: { reorganisations: 0 } },
  { id: 'deposit', state: 'ok', facts: {} },
]

export const jobs: Job[] = [
  {
    id: 'job-share',
    kind: 'share',
    state: 'running',
    phase: 'send',
    progress: 0.46,
    title: 'Household spending',
    startedAt: NOW - 40_000,
    updatedAt: NOW - 2000,
  },
  {
    id: 'job-failed',
    kind: 'declassify',
    state: 'failed',
    phase: 'collect',
    progress: 0.3,
    title: 'Blood pressure, mornings',
    startedAt: NOW - 3 * hour,
    updatedAt: NOW - 3 * hour,
    error: { code: 'SHARES_TOO_FEW', message: '3 of 4 needed shares answered within 30 s' },
  },
  {
    id: 'job-done',
    kind: 'predicate',
    state: 'done',
    phase: 'ledger',
    progress: 1,
    title: 'Only averages, at least 5 people, ask me first',
    startedAt: NOW - 40 * day,
    updatedAt: NOW - 40 * day,
    result: { predicateId: hash('salary rule') },
  },
]

export const node: NodeStatus = {
  nodeId: address('node 0'),
  peerId: '12D3KooWQnDeVLnV2qsPNhkPnxyBmw4yrSc7pVW7YH4ZbqvC2bUq',
  addresses: ['/ip4/192.168.1.24/tcp/47120', '/ip4/127.0.0.1/tcp/47120'],
  state: 'running',
  startedAt: NOW - 3 * day,
  registered: true,
  depositWei: '2000000000000000000',
  serving: true,
  peers: Array.from({ length: 7 }, (_, i) => ({
    nodeId: address(`node ${i + 1}`),
    connected: i !== 2,
    serving: i % 3 !== 1,
  })),
  sharesHeld: 4182,
  storedBytes: 734_003_200,
  quotaBytes: 2_000_000_000,
  computations: 57,
  material: {
    triple: 29_412,
    square: 0,
    inverse: 0,
    bit: 18_944,
    random: 8120,
    mask: 31_020,
    committedTriples: 12_288,
  },
  chain: {
    kind: 'devnet',
    chainId: 31337,
    endpoint: 'http://127.0.0.1:8545',
    height: 18_204,
    confirmations: 1,
    healthy: true,
    reorganisations: 0,
  },
  process: { rssBytes: 148_897_792, cpuSeconds: 412.4, uptimeSeconds: 259_200 },
}

type Entry = Output<'activity.list'>['entries'][number]
const kinds: [string, Record<string, string>][] = [
  ['vault.unlocked', { failedAttempts: '0' }],
  ['record.added', { record: 'rec-salary', type: 'number' }],
  [
    'predicate.published',
    { label: 'Only averages, at least 5 people, ask me first', predicate: hash('salary rule') },
  ],
  ['share.stored', { record: 'rec-salary', ref: hash('salary share'), holders: '5' }],
  ['compute.approved', { job: hash('compute 3'), references: '1' }],
  ['compute.finished', { job: hash('compute 3'), function: 'mean' }],
  ['vault.locked', {}],
  ['vault.unlocked', { failedAttempts: '2' }],
  ['record.updated', { record: 'rec-pressure', type: 'timeseries' }],
  ['share.revoked', { ref: hash('household share 2'), erased: '5' }],
  ['vault.exported', { records: '5' }],
]
export const activity: Entry[] = Array.from({ length: 64 }, (_, i) => {
  const seq = 64 - i
  const [kind, facts] = kinds[seq % kinds.length]!
  return { seq, at: NOW - i * 5.3 * hour, kind, facts, hash: hash(`activity ${seq}`) }
})

export const words =
  'galaxy hover ribbon canyon ozone tilt maple erode quantum yard velvet sponsor kiwi junior basket noble fossil dune armor cactus pepper ladder icon swarm'.split(
    ' ',
  )
