import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bn254Scalar as field } from '../../../core/field/fields.ts'
import { STEP } from '../../../core/preprocessing/channel.ts'
import { ConsumeOnceStore } from '../../../core/preprocessing/store.ts'
import type { AuthShare, MaterialRecords, MaterialSource } from '../../../core/preprocessing/types.ts'
import { joinSpdz } from '../../../core/spdz/party.ts'
import { type Database, openDatabase } from '../../../core/storage/database.ts'
import { MATERIAL_MIGRATIONS, SqliteMaterialRecords } from '../../../core/storage/material.ts'
import type { Session } from '../../../core/transport/types.ts'
import { meddled } from '../../support/meddled.ts'
import { dealOne } from '../spdz/dealer.ts'
import { nodeId, sessions } from './committee.ts'

const PARTIES = [nodeId(0), nodeId(1)]
const TRIPLES = 40

let dir: string
let databases: Database[]

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'enigma-check-'))
  databases = []
})

afterEach(() => {
  for (const database of databases) database.close()
  rmSync(dir, { recursive: true, force: true })
})

function openStore(path: string, wrap: (records: MaterialRecords) => MaterialRecords = (r) => r) {
  const database = openDatabase(path, MATERIAL_MIGRATIONS)
  databases.push(database)
  return new ConsumeOnceStore({ field }, { records: wrap(new SqliteMaterialRecords(database)) })
}

/** What a node finds that was killed at this moment. */
function afterKill(path: string) {
  const copy = `${path}-${databases.length}`
  for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix)
  return { store: openStore(copy), copy }
}

async function stocked(store: ConsumeOnceStore, index: number): Promise<MaterialSource> {
  const dealer = dealOne(PARTIES, index)
  const flat = (...shares: AuthShare[]) => shares.flatMap(({ share, mac }) => [share, mac])
  store.open(dealer.epoch, dealer.macKey)
  const { a, b, c } = await dealer.triples(TRIPLES)
  await store.append(dealer.epoch.id, 'triple', flat(a, b, c))
  await store.append(dealer.epoch.id, 'random', flat(await dealer.randoms(2)))
  return store.claim(dealer.epoch.id, 'job', {
    triple: { from: 0, count: TRIPLES },
    random: { from: 0, count: 2 },
  })
}

/** Two parties with stores on disk; `onReveal` sees the numbers of party 0's reveals before they leave. */
async function committee(onReveal: (count: number) => void, log: string[] = []) {
  const paths = PARTIES.map((_, i) => join(dir, `${i}.db`))
  const opened = await sessions(2, (session, index): Session => {
    if (index !== 0) return session
    let reveals = 0
    return meddled(session, {
      send: async (to, message) => {
        if (message[1] === STEP.reveal) onReveal(++reveals)
        await session.send(to, message)
      },
    })
  })
  const stores = paths.map((path, i) =>
    openStore(path, (records) => {
      const checking = records.checking.bind(records)
      records.checking = (epoch, underWay) => {
        if (i === 0) log.push(underWay ? 'set' : 'cleared')
        checking(epoch, underWay)
      }
      return records
    }),
  )
  const materials = await Promise.all(stores.map(stocked))
  const parties = await Promise.all(
    opened.sessions.map((session, i) =>
      joinSpdz({ field, session, parties: PARTIES, material: materials[i]!, roundTimeoutMs: 2000 }),
    ),
  )
  return { parties, materials, stores, paths, epoch: materials[0]!.epoch }
}

it('a node that is killed between its summand and the end of a MAC check destroys the epoch when it starts', async () => {
  const found: boolean[] = []
  const key = Buffer.from(field.toBytes(dealOne(PARTIES, 0).macKey))
  const c = await committee(() => {
    const { store, copy } = afterKill(c.paths[0]!)
    found.push(store.find(PARTIES) !== undefined)
    if (found.at(-1)) return
    expect(() => store.stock(c.epoch.id)).toThrow(expect.objectContaining({ code: 'MATERIAL_DESTROYED' }))
    databases.at(-1)!.close()
    expect(readFileSync(copy).includes(key)).toBe(false)
  })
  await Promise.all(
    c.parties.map(async (p, i) => {
      const [a, b] = (await c.materials[i]!.randoms(2).then((r) =>
        [0, 1].map((k) => ({ share: field.slice(r.share, k, k + 1), mac: field.slice(r.mac, k, k + 1) })),
      )) as [AuthShare, AuthShare]
      await p.round([{ op: 'mul', a, b }], [])
      await p.check()
    }),
  )
  // The coin tells nothing of the key; the summand does.
  expect(found).toEqual([true, false])
  expect(afterKill(c.paths[0]!).store.find(PARTIES)?.epoch.id).toBe(c.epoch.id)
})

it('a check costs one durable note, whatever the number of rounds, and overlapping ones share it', async () => {
  const log: string[] = []
  const c = await committee(() => undefined, log)
  await Promise.all(
    c.parties.map(async (p, i) => {
      const x = await c.materials[i]!.randoms(2)
      for (let k = 0; k < 10; k++) await p.round([{ op: 'mul', a: x, b: x }], [])
      await p.check()
    }),
  )
  expect(log).toEqual(['set', 'cleared'])
  const mark = c.stores[0]!.checks(c.epoch.id)
  mark.begin()
  mark.begin()
  mark.pass()
  expect(afterKill(c.paths[0]!).store.find(PARTIES)).toBeUndefined()
  mark.pass()
  expect(log).toEqual(['set', 'cleared', 'set', 'cleared'])
  expect(afterKill(c.paths[0]!).store.find(PARTIES)).toBeDefined()
})
