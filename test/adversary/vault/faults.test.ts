import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeFs } from '../../../core/vault/fs.ts'
import type { VaultFile, VaultFs } from '../../../core/vault/types.ts'
import type { Vault } from '../../../core/vault/vault.ts'
import { collect, OTHER_PASSWORD, PASSWORD, temporaryDir, vaultIn } from '../../unit/vault/helpers.ts'

class DiskFault extends Error {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/**
 * Fails the nth write, sync, rename, directory sync, truncate or create, and then either everything after it (the
 * disk is gone, or full) or nothing else (a glitch). A failing write still writes half of its data.
 */
function faultyFs(code: string) {
  const plan = { nth: Number.POSITIVE_INFINITY, forever: false, count: 0 }
  const due = () => {
    plan.count++
    return plan.count === plan.nth || (plan.forever && plan.count > plan.nth)
  }
  const gate = () => {
    if (due()) throw new DiskFault(code)
  }
  const wrap = (file: VaultFile): VaultFile => ({
    async write(data) {
      if (due()) {
        await file.write(data.subarray(0, data.length >> 1))
        throw new DiskFault(code)
      }
      await file.write(data)
    },
    async sync() {
      gate()
      await file.sync()
    },
    async truncate(length) {
      gate()
      await file.truncate(length)
    },
    read: (length, position) => file.read(length, position),
    size: () => file.size(),
    close: () => file.close(),
  })
  const fs: VaultFs = {
    ...nodeFs,
    async open(path, mode) {
      if (mode === 'create') gate()
      return wrap(await nodeFs.open(path, mode))
    },
    async rename(from, to) {
      gate()
      await nodeFs.rename(from, to)
    },
    async syncDir(dir) {
      gate()
      await nodeFs.syncDir(dir)
    },
  }
  return { fs, plan }
}

type Change = { name: string; run(vault: Vault, id: string): Promise<unknown>; password?: string }

const CHANGES: Change[] = [
  { name: 'add', run: (vault) => vault.add({ title: 'new', value: { type: 'number', value: '2' } }) },
  {
    name: 'add with a content file',
    run: (vault) => vault.addFile({ title: 'new', name: 'n', mime: 'a/b' }, [new Uint8Array(100_000)]),
  },
  {
    name: 'update',
    run: (vault, id) => vault.update(id, { value: { type: 'text', text: 'b'.repeat(9000) } }),
  },
  {
    name: 'change of password',
    run: (vault) => vault.changePassword(PASSWORD, OTHER_PASSWORD),
    password: OTHER_PASSWORD,
  },
]

async function contents(vault: Vault): Promise<string> {
  const out: unknown[] = []
  for (const { id } of await vault.list()) {
    const record = await vault.get(id)
    const bytes = record.value.type === 'file' ? (await collect(await vault.openFile(id))).length : 0
    out.push([record.title, record.version, record.value, bytes])
  }
  return JSON.stringify(out.sort())
}

async function openWithEither(dir: string, passwords: string[]): Promise<Vault> {
  for (const password of passwords) {
    const vault = vaultIn(dir)
    try {
      await vault.unlock(password)
      return vault
    } catch (error) {
      if ((error as { code?: string }).code !== 'PASSWORD_WRONG') throw error
    }
  }
  throw new Error('no password opens the vault')
}

async function leftovers(dir: string): Promise<string[]> {
  return (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.tmp'))
}

describe.each([
  ['EIO', true],
  ['ENOSPC', false],
])('%s', (code, glitch) => {
  describe.each(CHANGES)('at every write, fsync and rename of: $name', ({ run, password }) => {
    it(`what was there opens whole${glitch ? ', after a single failure' : ', and all after it fails'}`, async () => {
      let failures = 0
      for (let nth = 1; ; nth++) {
        expect(nth).toBeLessThan(60)
        const home = await temporaryDir()
        const { fs, plan } = faultyFs(code)
        const vault = vaultIn(home.dir, { fs })
        await vault.create(PASSWORD)
        const { id } = await vault.add({ title: 'kept', value: { type: 'text', text: 'a'.repeat(9000) } })
        const before = await contents(vault)
        Object.assign(plan, { nth, forever: !glitch, count: 0 })

        const error = await run(vault, id).then(
          () => undefined,
          (e: { code: string; remedy?: string }) => e,
        )
        const reached = plan.count >= nth
        if (error !== undefined) {
          failures++
          expect(error.code).toBe(code === 'ENOSPC' ? 'STORAGE_FULL' : 'INTERNAL')
          expect(error.remedy).toBeTruthy()
          // The running vault still shows the state before, and can be read.
          expect(await contents(vault)).toBe(before)
        }
        const after = error === undefined ? await contents(vault) : undefined

        // As after a crash: no lock, a new process, a good disk. Old or new, whole; what was acknowledged is there.
        const reopened = await openWithEither(
          home.dir,
          password === undefined ? [PASSWORD] : [password, PASSWORD],
        )
        const found = await contents(reopened)
        if (after !== undefined) expect(found).toBe(after)
        else expect(found.includes('kept')).toBe(true)
        expect(await leftovers(home.dir)).toEqual([])
        expect((await reopened.verifyActivity()).ok).toBe(true)
        await reopened.add({ title: 'goes on', value: { type: 'number', value: '1' } })
        await reopened.lock()

        plan.nth = Number.POSITIVE_INFINITY
        plan.forever = false
        await vault.lock()
        await home.remove()
        if (!reached) break
      }
      // The loop must have failed somewhere, or the fault injection does not work.
      expect(failures).toBeGreaterThan(3)
    })
  })

  it('while unlocking: the owner still gets in', async () => {
    const home = await temporaryDir()
    const first = vaultIn(home.dir)
    await first.create(PASSWORD)
    await first.lock()
    const { fs, plan } = faultyFs(code)
    Object.assign(plan, { nth: 1, forever: true })
    const vault = vaultIn(home.dir, { fs })
    await vault.unlock(PASSWORD)
    expect(await vault.list()).toEqual([])
    await vault.lock()
    await home.remove()
  })

  it('while creating: either there is no vault or the password opens it', async () => {
    for (let nth = 1; nth < 40; nth++) {
      const home = await temporaryDir()
      const { fs, plan } = faultyFs(code)
      Object.assign(plan, { nth, forever: true })
      const vault = vaultIn(home.dir, { fs })
      const created = await vault.create(PASSWORD).then(
        () => true,
        () => false,
      )
      expect((await vaultIn(home.dir).status()).exists).toBe(created)
      if (created) {
        const again = vaultIn(home.dir)
        await again.unlock(PASSWORD)
        await again.lock()
      } else {
        const again = vaultIn(home.dir)
        await again.create(PASSWORD)
        await again.lock()
      }
      Object.assign(plan, { nth: Number.POSITIVE_INFINITY, forever: false })
      await vault.lock()
      await home.remove()
      if (plan.count < nth) break
    }
  })
})

it('an export that fails leaves no file', async () => {
  const home = await temporaryDir()
  const { fs, plan } = faultyFs('ENOSPC')
  const vault = vaultIn(home.dir, { fs })
  await vault.create(PASSWORD)
  Object.assign(plan, { nth: 3, count: 0 })
  await expect(vault.exportTo(join(home.dir, 'x'), { phrase: true })).rejects.toMatchObject({
    code: 'STORAGE_FULL',
  })
  expect((await readdir(home.dir)).filter((name) => name.startsWith('x'))).toEqual([])
  expect((await vault.status()).backupAt).toBeUndefined()
  await vault.lock()
  await home.remove()
})
