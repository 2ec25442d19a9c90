/**
 * A stand-in for the node behind `window.enigma`, so that screens can be looked at and tested without one. It
 * speaks the frames of the contract over a real MessagePort, so the renderer's own bridge is in the loop.
 *
 * The address chooses the scene: ?state=missing|locked|unlocked (default), ?empty (nothing in the vault),
 * ?fail=method (that call fails), ?slow=milliseconds, ?lang=en|zh, ?theme=light|dark|system,
 * ?confirm=never|refuse (the host's confirmation), ?backoff=seconds.
 */
import {
  clientFrame,
  contract,
  EnigmaError,
  type HostFrame,
  type Input,
  type Job,
  type MethodName,
  type NodeEvent,
  type Output,
  parseInput,
  parseOutput,
  type RecordSummary,
  type RecordValue,
  type Settings,
} from '../../core/ipc/index.ts'
import * as compute from './fixture-compute.ts'
import * as data from './fixture-data.ts'

type Handlers = { [M in MethodName]: (input: Input<M>) => Output<M> | Promise<Output<M>> }
type State = Output<'vault.status'>['state']

/** Rows or points in an answer: few, so that screens have to ask for the others. */
const PAGE = 50

function beginning(value: data.Value): RecordValue {
  if (value.type === 'table') return { ...value, rows: value.rows.slice(0, PAGE), total: value.rows.length }
  if (value.type === 'timeseries')
    return { ...value, points: value.points.slice(0, PAGE), total: value.points.length }
  return value
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export function createFixture(query: URLSearchParams) {
  const empty = query.has('empty')
  const listeners = new Set<(event: NodeEvent) => void>()
  const emit = (event: NodeEvent) => {
    for (const listener of listeners) listener(event)
  }
  let state = (query.get('state') ?? 'unlocked') as State
  let settings: Settings = {
    ...data.settings,
    language: query.get('lang') === 'zh' ? 'zh' : 'en',
    theme: (query.get('theme') as Settings['theme'] | null) ?? data.settings.theme,
  }
  let backoff = Number(query.get('backoff') ?? 0)
  let failures = 0
  let lastExportAt: number | undefined
  let lastRehearsalAt: number | undefined
  const records = empty ? [] : [...data.records]
  const trash = empty ? [] : [...data.trash]
  const values = { ...data.values }
  const invitations = [...data.invitations]
  const jobs: Job[] = empty ? [] : [...data.jobs]
  const uploads = new Map<string, string>()
  const list = <T>(items: T[]): T[] => (empty ? [] : items)
  let next = 1

  function find(id: string): RecordSummary {
    const found = [...records, ...trash].find((r) => r.id === id)
    if (found === undefined) throw new EnigmaError('NOT_FOUND', `no record ${id}`)
    return found
  }

  const textOf = (upload: string) =>
    new TextDecoder().decode(Uint8Array.from(uploads.get(upload) ?? '', (c) => c.charCodeAt(0)))

  /** A long task whose progress can be watched. */
  function start(kind: Job['kind'], title: string, phases: string[], result: Record<string, string> = {}) {
    const id = `job-${kind}-${next++}`
    const job: Job = {
      id,
      kind,
      state: 'running',
      phase: phases[0]!,
      progress: 0,
      title,
      startedAt: Date.now(),
      updatedAt: Date.now(),
    }
    jobs.unshift(job)
    emit({ type: 'job', id })
    const timer = setInterval(() => {
      if (job.state !== 'running') return clearInterval(timer)
      job.progress = Math.min(1, job.progress + 0.05)
      job.updatedAt = Date.now()
      job.phase = phases[Math.min(phases.length - 1, Math.floor(job.progress * phases.length))]!
      if (job.progress >= 1) {
        job.state = 'done'
        job.result = result
        clearInterval(timer)
        emit({ type: 'sharing' })
        emit({ type: 'data' })
      }
      emit({ type: 'job', id })
    }, 150)
    return { jobId: id }
  }

  function add(title: string, tags: string[], value: data.Value): { id: string } {
    const id = `rec-${next++}`
    values[id] = value
    records.unshift({
      id,
      title,
      type: value.type,
      tags,
      createdAt: Date.now(),
      updatedAt: Date.now(),
      preview:
        value.type === 'file'
          ? value.fileName
          : value.type === 'number' || value.type === 'text'
            ? value.value.slice(0, 80)
            : '',
      ...(value.type === 'table' ? { rows: value.rows.length } : {}),
      shared: 0,
      holdersHealthy: 0,
      holdersTotal: 0,
      threshold: 0,
    })
    emit({ type: 'data' })
    return { id }
  }

  function table(content: string) {
    const lines = content.split(/\r?\n/).filter((line) => line !== '')
    const header = (lines[0] ?? '').split(',')
    const rows = lines.slice(1).map((line) => line.split(','))
    const columns = header.map((name, i) => ({
      name,
      kind:
        rows.filter((r) => /^-?\d+(\.\d+)?$/.test(r[i] ?? '')).length * 2 >= rows.length
          ? ('number' as const)
          : ('text' as const),
    }))
    const errors = rows.flatMap((row, r) =>
      columns.flatMap((column, c) =>
        column.kind === 'number' && !/^-?\d+(\.\d+)?$/.test(row[c] ?? '')
          ? [
              {
                row: r + 1,
                column: column.name,
                excerpt: (row[c] ?? '').slice(0, 40),
                problem: row[c]?.includes('k') ? 'currency-or-unit' : 'not-a-number',
                remedy: 'Write digits with a point, for example 1234.50.',
              },
            ]
          : [],
      ),
    )
    return { columns, rows, errors }
  }

  const unlocked = { account: data.me }
  const handlers: Handlers = {
    'app.info': () => ({
      version: '0.2.0',
      host: 'browser',
      dataDir: '/home/ada/.enigma',
      state: 'ready',
      network: 'devnet',
    }),
    'home.checklist': () => ({
      items: empty ? data.checklist.map((item) => ({ ...item, state: 'ok', facts: {} })) : data.checklist,
    }),
    'jobs.list': () => ({ jobs: jobs.map((j) => ({ ...j })) }),
    'jobs.get': ({ id }) => {
      const job = jobs.find((j) => j.id === id)
      if (job === undefined) throw new EnigmaError('NOT_FOUND', 'no such job')
      return { job: { ...job } }
    },
    'jobs.cancel': ({ id }) => {
      const job = jobs.find((j) => j.id === id)
      if (job === undefined) throw new EnigmaError('NOT_FOUND', 'no such job')
      if (job.state === 'running' || job.state === 'waiting') job.state = 'cancelled'
      emit({ type: 'job', id })
      return { job: { ...job } }
    },
    'node.status': () => data.node,
    'node.pause': () => {
      data.node.state = 'paused'
      emit({ type: 'node' })
      return {}
    },
    'node.resume': () => {
      data.node.state = 'running'
      emit({ type: 'node' })
      return {}
    },
    'node.register': () => start('register', '', ['ledger']),
    'wallet.status': () => ({
      account: data.me,
      depositAccount: data.address('deposit'),
      balanceWei: '12403900000000000000',
      depositBalanceWei: '500000000000000000',
      lockedWei: '2000000000000000000',
      canUseFaucet: true,
    }),
    'wallet.faucet': () => ({ balanceWei: '22403900000000000000' }),
    'settings.get': () => settings,
    'settings.set': (change) => {
      settings = { ...settings, ...(change as Partial<Settings>) }
      emit({ type: 'settings' })
      return settings
    },

    'vault.status': () => ({
      state,
      ...(state === 'missing' ? {} : { createdAt: data.NOW - 90 * data.day }),
      ...(state === 'unlocked' ? { account: data.me, publicKey: `0x02${data.hash('me').slice(2)}` } : {}),
      ...(lastExportAt === undefined ? {} : { lastExportAt }),
      ...(lastRehearsalAt === undefined ? {} : { lastRehearsalAt }),
      ...(backoff > 0 ? { backoffSeconds: backoff } : {}),
    }),
    'vault.create': ({ password }) => {
      if (password.length < 8) throw new EnigmaError('PASSWORD_WEAK', 'the password is too easy to guess')
      state = 'unlocked'
      emit({ type: 'vault' })
      return { phrase: data.words, account: data.me }
    },
    'vault.unlock': ({ password }) => {
      if (password !== 'correct horse battery') {
        failures += 1
        if (failures >= 3) {
          backoff = 30 * 2 ** (failures - 3)
          throw new EnigmaError('BACKOFF', 'too many attempts', { details: { seconds: backoff } })
        }
        throw new EnigmaError('PASSWORD_WRONG', 'the password does not open this vault')
      }
      state = 'unlocked'
      emit({ type: 'vault' })
      return unlocked
    },
    'vault.lock': () => {
      state = 'locked'
      emit({ type: 'vault' })
      return {}
    },
    'vault.changePassword': ({ current }) => {
      if (current !== 'correct horse battery') throw new EnigmaError('PASSWORD_WRONG', 'wrong password')
      return {}
    },
    'vault.restore': ({ phrase }) => {
      if (phrase.trim().split(/\s+/).length !== 24)
        throw new EnigmaError('PHRASE_INVALID', 'the phrase has 24 words')
      state = 'unlocked'
      emit({ type: 'vault' })
      return { account: data.me, references: 3, pending: false }
    },
    'vault.rehearse': ({ phrase }) => {
      const matches = phrase.trim().split(/\s+/).join(' ') === data.words.join(' ')
      if (matches) lastRehearsalAt = Date.now()
      return { matches, account: data.me }
    },
    'vault.export': () => {
      lastExportAt = Date.now()
      emit({ type: 'vault' })
      return {
        path: '/home/ada/Enigma exports/vault-2026-03-02.enigma',
        bytes: 2_204_113,
        records: records.length,
      }
    },
    'vault.import': () => ({ added: 3, updated: 1, skipped: 0 }),

    'data.list': ({ query: q, type, tag, removed }) => ({
      records: (removed ? trash : records).filter(
        (r) =>
          (type === undefined || r.type === type) &&
          (tag === undefined || r.tags.includes(tag)) &&
          (q === undefined ||
            [r.title, r.preview, ...r.tags].join(' ').toLowerCase().includes(q.trim().toLowerCase())),
      ),
    }),
    'data.get': ({ id }) => ({
      record: find(id),
      value: beginning(values[id]!),
      history:
        id.startsWith('rec-s') || id === 'rec-pressure'
          ? [3, 2, 1].map((version) => ({
              version,
              at: data.NOW - (4 - version) * 11 * data.day,
              preview: version === 3 ? '56000' : version === 2 ? '54500.00' : '51000',
            }))
          : [],
      shares: data.shares.filter((s) => s.recordId === id),
    }),
    'data.part': ({ id, from }) => {
      const value = values[id]!
      if (value.type === 'table') return { rows: value.rows.slice(from, from + PAGE) }
      if (value.type === 'timeseries') return { points: value.points.slice(from, from + PAGE) }
      throw new EnigmaError('INVALID_ARGUMENT', `a ${value.type} has no parts`)
    },
    'data.add': ({ title, tags, value }) => add(title, tags ?? [], value),
    'data.update': ({ id, title, tags, value }) => {
      const record = find(id)
      Object.assign(record, { updatedAt: Date.now() }, title && { title }, tags && { tags })
      if (value !== undefined) values[id] = value
      emit({ type: 'data' })
      return {}
    },
    'data.remove': ({ id, purge }) => {
      const from = purge ? trash : records
      const at = from.findIndex((r) => r.id === id)
      const [record] = from.splice(at, 1)
      if (record !== undefined && !purge) trash.unshift({ ...record, removedAt: Date.now() })
      emit({ type: 'data' })
      return {}
    },
    'data.undelete': ({ id }) => {
      const [record] = trash.splice(
        trash.findIndex((r) => r.id === id),
        1,
      )
      if (record !== undefined) {
        const { removedAt: _, ...kept } = record
        records.unshift(kept)
      }
      emit({ type: 'data' })
      return {}
    },
    'data.restoreVersion': () => {
      emit({ type: 'data' })
      return {}
    },
    'data.upload': ({ upload = `upload-${next++}`, content }) => {
      const sent = (uploads.get(upload) ?? '') + atob(content)
      uploads.set(upload, sent)
      return { upload, bytes: sent.length }
    },
    'data.previewImport': ({ upload }) => {
      const { columns, rows, errors } = table(textOf(upload))
      return {
        columns,
        rows: rows.length,
        sample: rows.slice(0, 8),
        errors: errors.slice(0, 100),
        errorCount: errors.length,
      }
    },
    'data.import': ({ upload, title, tags, skipInvalid }) => {
      const { columns, rows, errors } = table(textOf(upload))
      const bad = new Set(errors.map((e) => e.row))
      if (bad.size > 0 && !skipInvalid) throw new EnigmaError('IMPORT_INVALID', `${bad.size} rows do not fit`)
      const good = rows.filter((_, i) => !bad.has(i + 1))
      return {
        ...add(title, tags ?? [], { type: 'table', columns, rows: good }),
        rows: good.length,
        skipped: bad.size,
      }
    },
    'data.addFile': ({ title, fileName, mediaType, tags, upload = '' }) =>
      add(title, tags ?? [], {
        type: 'file',
        fileName,
        mediaType: mediaType ?? 'application/octet-stream',
        bytes: uploads.get(upload)?.length ?? 0,
        digest: data.hash(fileName),
      }),
    'data.saveFile': ({ id }) => ({ path: `/home/ada/Enigma exports/${id}.pdf`, bytes: 1_842_113 }),

    'activity.list': ({ kinds, query: q, limit = 200, before }) => {
      const all = list(data.activity).filter(
        (e) =>
          (kinds === undefined || kinds.some((k) => e.kind === k || e.kind.startsWith(`${k}.`))) &&
          (q === undefined || JSON.stringify(e).toLowerCase().includes(q.toLowerCase())),
      )
      return {
        entries: all.filter((e) => before === undefined || e.seq < before).slice(0, limit),
        total: all.length,
      }
    },
    'activity.verify': () => ({ valid: true, entries: 64, head: data.hash('activity 64') }),
    'activity.export': () => ({ path: '/home/ada/Enigma exports/activity-2026-03-02.jsonl', entries: 64 }),

    'identity.list': () => ({ identities: list(data.identities) }),
    'identity.get': ({ address }) => {
      const identity = data.identities.find((i) => i.address === address)
      if (identity === undefined) throw new EnigmaError('NOT_FOUND', 'no such identity')
      return { identity }
    },
    'identity.create': ({ label }) => start('identity', label, ['ledger'], { identity: data.address(label) }),
    'identity.invitations': () => ({ invitations: list(invitations) }),
    'identity.join': ({ address }) => {
      invitations.splice(
        invitations.findIndex((i) => i.address === address),
        1,
      )
      emit({ type: 'sharing' })
      return {}
    },
    'predicate.list': () => ({ predicates: list(data.predicates) }),
    'predicate.publish': ({ label }) =>
      start('predicate', label, ['ledger'], { predicateId: data.hash(label) }),
    'predicate.encode': ({ predicate }) => ({
      id: data.hash(JSON.stringify(predicate)),
      encoding: data.hex(JSON.stringify(predicate), 20 + JSON.stringify(predicate).length / 4),
    }),
    'predicate.test': ({ cases }) => ({
      results: cases.map((c) =>
        c.cohort >= 5 ? { allowed: true } : { allowed: false, reason: 'COHORT_TOO_SMALL' },
      ),
    }),
    'share.plan': ({ recordId, n = 5, t = 2 }) => {
      const value = values[recordId]
      const columns =
        value?.type === 'table' ? value.columns.filter((c) => c.kind === 'number').map((c) => c.name) : []
      return {
        length:
          value?.type === 'table'
            ? value.rows.length
            : value?.type === 'timeseries'
              ? value.points.length
              : 1,
        columns,
        holders: Array.from({ length: n }, (_, i) => data.address(`node ${i}`)),
        n,
        t,
        feeWei: '1800000000000000',
      }
    },
    'share.create': ({ recordId }) =>
      start('share', find(recordId).title, ['encode', 'split', 'send', 'verify', 'receipts', 'ledger'], {
        ref: data.hash('salary share'),
      }),
    'share.list': () => ({ shares: list(data.shares) }),
    'access.list': () => ({ grants: list(compute.grants) }),
    'access.revoke': () => start('revoke', 'Gross salary 2025', ['ledger']),
    'declassify.start': () =>
      start('declassify', 'Gross salary 2025', ['collect', 'reconstruct', 'ledger'], {
        ref: data.hash('salary share'),
      }),
    'declassify.result': () => ({ ref: data.hash('salary share'), values: ['58240.50'], badHolders: [] }),

    'compute.functions': () => ({ functions: compute.functions }),
    'compute.references': () => ({ references: list(compute.references) }),
    'compute.request': ({ label, function: f }) =>
      start('compute', label ?? f, ['requested', 'approvals', 'committee', 'inputs', 'computing', 'output'], {
        id: data.hash('compute 1'),
      }),
    'compute.list': () => ({ jobs: list(compute.computeJobs) }),
    'compute.get': ({ id }) => {
      const job = compute.computeJobs.find((j) => j.id === id)
      if (job === undefined) throw new EnigmaError('NOT_FOUND', 'no such computation')
      return { job }
    },
    'compute.result': ({ id }) =>
      id === data.hash('compute 6')
        ? {
            id,
            function: 'histogram',
            values: ['4', '17', '12', '0', '5'],
            edges: ['20000', '40000', '60000', '99999.5'],
            owners: 38,
            nodes: 3,
            resultDigest: data.hash('result 6'),
          }
        : {
            id,
            function: 'mean',
            values: ['131.482608695652'],
            owners: 21,
            nodes: 3,
            resultDigest: data.hash('result 3'),
          },
    'compute.audit': ({ id }) => ({
      id,
      valid: true,
      parties: [data.me, data.me, data.me],
      bytes: 486_120,
      seconds: 0.41,
      mine: true,
    }),
    'compute.transcript': ({ path }) => ({ path, bytes: 486_120 }),
    'compute.cancel': () => start('compute', 'cancel', ['ledger']),
    'approvals.list': () => ({ approvals: list(compute.approvals) }),
    'approvals.decide': ({ id, decision }) => {
      const approval = compute.approvals.find((a) => a.id === id)
      if (approval !== undefined) approval.state = decision === 'approve' ? 'approved' : 'declined'
      emit({ type: 'approvals' })
      return start('decide', decision, ['ledger'])
    },
  }

  async function call<M extends MethodName>(method: M, raw: unknown): Promise<Output<M>> {
    const input = parseInput(method, raw)
    await pause(Number(query.get('slow') ?? 20))
    if (query.getAll('fail').includes(method))
      throw new EnigmaError('LEDGER_UNREACHABLE', 'no endpoint of chain 31337 answered within 10 s')
    const open: MethodName[] = [
      'app.info',
      'settings.get',
      'settings.set',
      'node.status',
      'compute.functions',
    ]
    if (state !== 'unlocked' && !method.startsWith('vault.') && !open.includes(method))
      throw new EnigmaError('VAULT_LOCKED', 'the vault is locked')
    if (contract[method].authority !== undefined) {
      if (query.get('confirm') === 'never') await new Promise(() => undefined)
      await pause(1200)
      if (query.get('confirm') === 'refuse')
        throw new EnigmaError('NOT_CONFIRMED', 'the owner did not confirm')
    }
    return parseOutput(method, await handlers[method](input as Input<M>))
  }
  return { call, emit, listeners }
}

/** Puts the stand-in where the preload would be. */
export function installFixture(query = new URLSearchParams(location.search)): void {
  const { call, listeners } = createFixture(query)
  Object.defineProperty(window, 'enigma', {
    value: {
      version: '0.2.0',
      connect() {
        const { port1, port2 } = new MessageChannel()
        const send = (frame: HostFrame) => port1.postMessage(structuredClone(frame))
        listeners.add((event) => send({ event }))
        port1.onmessage = async (message) => {
          const frame = clientFrame.parse(message.data)
          if (!('method' in frame)) return
          try {
            send({ id: frame.id, output: await call(frame.method as MethodName, frame.input) })
          } catch (error) {
            send({ id: frame.id, error: EnigmaError.from(error).toObject() })
          }
        }
        window.postMessage({ enigma: 'port' }, location.origin, [port2])
      },
    },
  })
}
