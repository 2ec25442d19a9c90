import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LedgerClient } from '../../../core/ledger/client.ts'
import { ZERO_BYTES32 } from '../../../core/ledger/constants.ts'
import { Devnet } from '../../../core/ledger/devnet.ts'
import { MemoryCursorStore, MemoryOutboxStore } from '../../../core/ledger/stores.ts'
import type { LedgerDeployment } from '../../../core/ledger/types.ts'
import { newSigner, rpc } from './support.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'enigma-devnet-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function client(endpoint: string, deployment: LedgerDeployment) {
  const ledger = new LedgerClient(
    { endpoints: [endpoint], deployment, confirmations: 1, pollMs: 25 },
    { cursors: new MemoryCursorStore(), outbox: new MemoryOutboxStore() },
  )
  await ledger.start()
  return ledger
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('the condition was never met')
}

/** A manager in a process of its own, to be killed. */
async function manager(): Promise<{
  child: ChildProcess
  endpoint: string
  anvil: number
  deployment: LedgerDeployment
}> {
  const module = fileURLToPath(new URL('../../../core/ledger/devnet.ts', import.meta.url))
  const script = `
    const { Devnet } = await import(${JSON.stringify(module)})
    const d = await Devnet.start({ directory: ${JSON.stringify(directory)}, saveMs: 1 })
    console.log(JSON.stringify({ endpoint: d.endpoint, anvil: d.anvilPid, deployment: d.deployment }))
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout!.once('data', (data: Buffer) => resolve(data.toString()))
    child.once('exit', () => reject(new Error('the manager ended')))
  })
  return { child, ...JSON.parse(line) }
}

describe('a devnet', () => {
  test('continues where it stopped: blocks, code, storage, port', async () => {
    const first = await Devnet.start({ directory })
    const ledger = await client(first.endpoint, first.deployment)
    const signer = newSigner()
    await ledger.faucet(signer.address)
    await ledger.set(signer, ZERO_BYTES32, Uint8Array.of(5))
    const head = await ledger.head()
    await ledger.stop()
    await first.stop()
    expect(isAlive(first.anvilPid)).toBe(false)
    const second = await Devnet.start({ directory })
    try {
      expect(second.endpoint).toBe(first.endpoint)
      expect(second.deployment).toEqual(first.deployment)
      const again = await client(second.endpoint, second.deployment)
      expect(await again.head()).toEqual(head)
      expect(await again.get(signer.address, ZERO_BYTES32)).toEqual(Uint8Array.of(5))
      await again.set(signer, ZERO_BYTES32, Uint8Array.of(6))
      await again.stop()
    } finally {
      await second.stop()
    }
    expect(await readdir(directory)).not.toContain('load.json')
  })

  test('has one manager at a time, and a genesis of its own', async () => {
    const devnet = await Devnet.start({ directory })
    const elsewhere = await mkdtemp(join(tmpdir(), 'enigma-devnet-'))
    const other = await Devnet.start({ directory: elsewhere })
    try {
      await expect(Devnet.start({ directory })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      expect(other.deployment.genesisHash).not.toBe(devnet.deployment.genesisHash)
      await expect(client(other.endpoint, devnet.deployment)).rejects.toMatchObject({
        code: 'LEDGER_WRONG_CHAIN',
      })
    } finally {
      await Promise.all([devnet.stop(), other.stop()])
      await rm(elsewhere, { recursive: true, force: true })
    }
  })

  test('restarts a killed anvil on the same port', async () => {
    const devnet = await Devnet.start({ directory })
    try {
      const pid = devnet.anvilPid
      process.kill(pid, 'SIGKILL')
      await until(() => devnet.anvilPid !== pid)
      expect(
        await rpc(devnet.endpoint, 'eth_getCode', [devnet.deployment.addresses.jobs, 'latest']),
      ).not.toBe('0x')
    } finally {
      await devnet.stop()
    }
  })

  test('dies with its manager, and the killed manager leaves a state that loads (10 kills)', async () => {
    let height = 0
    for (let run = 0; run < 10; run++) {
      const { child, endpoint, anvil } = await manager()
      const head = Number(await rpc<string>(endpoint, 'eth_blockNumber'))
      expect(head).toBeGreaterThanOrEqual(height)
      // Blocks all the time, so that the kill meets every stage of saving.
      let mining = true
      const miner = (async () => {
        while (mining) await rpc(endpoint, 'anvil_mine', ['0x1'])
      })().catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, 40 + Math.random() * 120))
      height = head
      child.kill('SIGKILL')
      mining = false
      await miner
      await until(() => !isAlive(anvil))
    }
    const last = await Devnet.start({ directory })
    const ledger = await client(last.endpoint, last.deployment)
    await ledger.stop()
    await last.stop()
  })

  test('keeps its genesis block over many starts', async () => {
    let devnet = await Devnet.start({ directory })
    for (let run = 0; run < 4; run++) {
      await rpc(devnet.endpoint, 'evm_mine')
      await devnet.stop()
      // Genesis blocks that anvil makes within one second are the same.
      await new Promise((resolve) => setTimeout(resolve, 1050))
      devnet = await Devnet.start({ directory })
    }
    await devnet.stop()
  })

  test('refuses a state it cannot read, and never begins anew over it', async () => {
    const devnet = await Devnet.start({ directory })
    await devnet.stop()
    const path = join(directory, 'chain.gz')
    const bytes = await readFile(path)
    bytes[bytes.length >> 1]! ^= 1
    await writeFile(path, bytes)
    await rm(join(directory, 'chain.previous.gz'), { force: true })
    await expect(Devnet.start({ directory })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    await rm(path)
    await expect(Devnet.start({ directory })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
  })

  test('falls back to the previous generation', async () => {
    const devnet = await Devnet.start({ directory })
    await rpc(devnet.endpoint, 'evm_mine')
    await devnet.stop()
    await writeFile(join(directory, 'chain.gz'), 'torn')
    const again = await Devnet.start({ directory })
    expect(again.deployment).toEqual(devnet.deployment)
    await again.stop()
  })
})
