import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../core/storage/database.ts'
import { NODE_MIGRATIONS } from '../../../core/storage/migrations.ts'
import { openNodeStorage } from '../../../core/storage/node-storage.ts'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'enigma-storage-'))
  path = join(dir, 'node.db')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const FIRST = { name: 'one', sql: 'CREATE TABLE a (x TEXT NOT NULL) STRICT' }
const SECOND = { name: 'two', sql: `ALTER TABLE a ADD COLUMN y TEXT; INSERT INTO a VALUES ('x', 'y')` }

describe('openDatabase', () => {
  it('writes ahead, syncs every commit and checks foreign keys', () => {
    const db = openDatabase(path, [FIRST])
    expect(db.pragma('journal_mode')).toBe('wal')
    expect(db.pragma('synchronous')).toBe(2)
    expect(db.pragma('foreign_keys')).toBe(1)
    expect(db.pragma('secure_delete')).toBe(1)
    db.close()
  })

  it('applies each migration once, in order', () => {
    openDatabase(path, [FIRST]).close()
    const db = openDatabase(path, [FIRST, SECOND])
    expect(db.prepare('SELECT x, y FROM a').all()).toEqual([{ x: 'x', y: 'y' }])
    db.close()
    const again = openDatabase(path, [FIRST, SECOND])
    expect(again.pragma('user_version')).toBe(2)
    expect(again.prepare('SELECT count(*) AS n FROM a').get()).toEqual({ n: 1 })
    again.close()
  })

  it('undoes a migration that fails half-way', () => {
    openDatabase(path, [FIRST]).close()
    const broken = {
      name: 'broken',
      sql: `INSERT INTO a (x) VALUES ('half'); INSERT INTO missing VALUES (1)`,
    }
    expect(() => openDatabase(path, [FIRST, broken])).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
    const db = openDatabase(path, [FIRST])
    expect(db.pragma('user_version')).toBe(1)
    expect(db.prepare('SELECT * FROM a').all()).toEqual([])
    db.close()
  })

  it('refuses a newer file and leaves it untouched', () => {
    openDatabase(path, [FIRST, SECOND]).close()
    const before = readFileSync(path)
    expect(() => openDatabase(path, [FIRST])).toThrow(
      expect.objectContaining({ code: 'STORAGE_VERSION', remedy: expect.stringContaining('newer') }),
    )
    expect(Buffer.compare(readFileSync(path), before)).toBe(0)
    openDatabase(path, [FIRST, SECOND]).close()
  })

  it('recognises damage', () => {
    const db = openDatabase(path, [FIRST])
    const insert = db.prepare('INSERT INTO a VALUES (?)')
    db.transaction(() => {
      for (let i = 0; i < 2000; i++) insert.run(`row ${i} ${'z'.repeat(100)}`)
    })
    db.close()
    const bytes = readFileSync(path)
    const damaged = Buffer.from(bytes)
    damaged.fill(0xff, 8192, 40_960)
    writeFileSync(path, damaged)
    const corrupt = expect.objectContaining({ code: 'STORAGE_CORRUPT', remedy: expect.any(String) })
    expect(() => openDatabase(path, [FIRST])).toThrow(corrupt)
    writeFileSync(path, 'this is no database, but it is long enough to look at: '.repeat(100))
    expect(() => openDatabase(path, [FIRST])).toThrow(corrupt)
    writeFileSync(path, bytes)
    openDatabase(path, [FIRST]).close()
  })

  it('says when there is no space, and keeps what was stored', () => {
    const db = openDatabase(path, [FIRST], { maxBytes: 256 * 1024 })
    const insert = db.prepare('INSERT INTO a VALUES (?)')
    let stored = 0
    const fill = () => {
      for (; stored < 10_000; stored++) insert.run('z'.repeat(1000))
    }
    expect(fill).toThrow(
      expect.objectContaining({ code: 'STORAGE_FULL', remedy: expect.stringContaining('space') }),
    )
    expect(db.prepare('SELECT count(*) AS n FROM a').get()).toEqual({ n: stored })
    expect(stored).toBeGreaterThan(100)
    db.checkIntegrity()
    db.close()
  })

  it('has one user at a time', () => {
    const db = openDatabase(path, [FIRST])
    expect(() => openDatabase(path, [FIRST])).toThrow(expect.objectContaining({ code: 'STORAGE_BUSY' }))
    const reader = openDatabase(path, [FIRST], { exclusive: false })
    expect(reader.prepare('SELECT * FROM a').all()).toEqual([])
    reader.close()
    db.close()
    openDatabase(path, [FIRST]).close()
  })

  it('undoes a transaction that throws, nested ones included', () => {
    const db = openDatabase(path, [FIRST])
    const insert = db.prepare('INSERT INTO a VALUES (?)')
    expect(() =>
      db.transaction(() => {
        insert.run('1')
        db.transaction(() => insert.run('2'))
        throw new Error('no')
      }),
    ).toThrow()
    expect(db.prepare('SELECT * FROM a').all()).toEqual([])
    db.transaction(() => insert.run('3'))
    expect(db.prepare('SELECT * FROM a').all()).toEqual([{ x: '3' }])
    db.close()
  })

  it('keeps the records of the first version', async () => {
    const old = openDatabase(path, NODE_MIGRATIONS.slice(0, 1))
    const key = `0x${'ab'.repeat(32)}` as const
    old
      .prepare(`INSERT INTO records VALUES ('public', ?, 0, '0x', 'active', ?, 512, '{}', ?, '[]', NULL)`)
      .run(key, key, JSON.stringify({ action: 'put', signature: '0x00' }))
    old.prepare(`INSERT INTO bodies VALUES ('public', ?, 'data', ?)`).run(key, Uint8Array.of(1, 2, 3))
    old.close()
    const storage = openNodeStorage(path)
    expect(await storage.records.get('public', key)).toMatchObject({
      record: { data: Uint8Array.of(1, 2, 3) },
    })
    expect(storage.records.usage()).toEqual({ records: 1, bytes: 512 })
    storage.close()
  })

  it('leaves no trace of deleted content on disk', async () => {
    const storage = openNodeStorage(path)
    const marker = 'enigma-deleted-marker'
    const key = `0x${'ab'.repeat(32)}` as const
    const owner = `0x${'cd'.repeat(20)}` as const
    const bytes = Buffer.from(marker.repeat(500))
    await storage.records.put({
      record: { kind: 'encrypted', key, owner, ciphertext: bytes },
      digest: key,
      state: 'active',
      authorization: {
        action: 'put',
        kind: 'encrypted',
        key,
        content: key,
        owner,
        signer: owner,
        time: 0,
        signature: new Uint8Array(65),
      },
      placements: [],
      expires: undefined,
    })
    const onDisk = () =>
      [path, `${path}-wal`].some(
        (f) => statSync(f, { throwIfNoEntry: false }) && readFileSync(f).includes(marker),
      )
    expect(onDisk()).toBe(true)
    expect(await storage.records.delete('encrypted', key, 1)).toBe(true)
    expect(onDisk()).toBe(false)
    storage.close()
  })
})

it('loses no acknowledged row when the writer is killed', async () => {
  const writer = join(import.meta.dirname, 'writer.ts')
  let acknowledged = 0
  for (let round = 0; round < 10; round++) {
    const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    const killed = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const target = 5 + Math.floor(Math.random() * 60)
    let lines = 0
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString()
      lines = output.split('\n').length - 1
      if (lines >= target) child.kill('SIGKILL')
    })
    await killed
    const complete = output.split('\n').slice(0, -1).map(Number)
    expect(complete.length).toBeGreaterThanOrEqual(target)
    acknowledged = Math.max(acknowledged, ...complete)
    const storage = openNodeStorage(path)
    storage.database.checkIntegrity()
    const keys = new Set(storage.kv.list('crash', '', 100_000).map((e) => e.key))
    for (let i = 1; i <= acknowledged; i++) expect(keys.has(String(i).padStart(8, '0'))).toBe(true)
    // Both halves of each transaction or neither.
    expect(storage.kv.list('crash-twin', '', 100_000).length).toBe(keys.size)
    storage.close()
  }
  expect(acknowledged).toBeGreaterThan(50)
})
