import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../core/base/bytes.ts'
import type { LedgerClient } from '../../../core/ledger/client.ts'
import { ZERO_BYTES32 } from '../../../core/ledger/constants.ts'
import { MemoryCursorStore, MemoryOutboxStore } from '../../../core/ledger/stores.ts'
import type { EventBatch, LedgerEvent } from '../../../core/ledger/types.ts'
import * as support from './support.ts'

/** A consumer that does what consumers do: apply, and undo on rewind. */
class Journal {
  events: LedgerEvent[] = []
  rewinds = 0

  readonly handle = (batch: EventBatch) => {
    if (batch.kind === 'rewind') {
      this.rewinds++
      this.events = this.events.filter((e) => e.blockNumber <= batch.toBlock)
    } else {
      this.events.push(...batch.events)
    }
  }

  keys(): string[] {
    return this.events.map((e) => `${e.blockHash} ${e.logIndex} ${e.name}`)
  }
}

/** What the canonical chain holds now, read from its beginning. */
async function canonical(ledger: LedgerClient): Promise<string[]> {
  const journal = new Journal()
  const subscription = await ledger.subscribe(`fresh ${Math.random()}`, journal.handle)
  await subscription.caughtUp()
  await subscription.close()
  return journal.keys()
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await condition().catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('the condition was never met')
}

describe('a rewound chain', () => {
  test('gets every transaction back, in order, and consumers end where the chain ends', async () => {
    await using chain = await support.startChain()
    const ledger = await chain.client()
    const journal = new Journal()
    const subscription = await ledger.subscribe('main', journal.handle)
    const signer = await support.fundedSigner(ledger)
    const identity = await support.pseudonym(ledger, signer)
    const predicate = await support.publish(ledger, signer, { kind: 'uses', max: 1 })
    const input = support.referenceInput(identity, predicate)
    const ref = ledger.referenceId(identity, input.xRef)
    await ledger.createReference(signer, input)
    const { jobId } = await ledger.requestJob(signer, support.jobRequest([ref]))
    await ledger.admit(signer, jobId, [ref])
    const key = support.randomWord()
    for (const word of ['one', 'two', 'one', 'three']) await ledger.set(signer, key, utf8(word))
    await subscription.caughtUp()
    const before = journal.events.map((e) => e.name)

    for (const depth of [3, 8, 10]) {
      const rewinds = journal.rewinds
      await chain.rpc('anvil_rollback', [depth])
      await until(async () => Buffer.from(await ledger.get(signer.address, key)).toString() === 'three')
      await until(async () => (await ledger.pending()).length === 0)
      await subscription.caughtUp()
      expect(journal.rewinds).toBeGreaterThan(rewinds)
      expect(journal.events.map((e) => e.name)).toEqual(before)
      expect(journal.keys()).toEqual(await canonical(ledger))
      expect(await ledger.authorised(jobId, ref)).toBe(true)
      expect((await ledger.reference(ref))!.uses).toBe(1)
    }
  })

  test('with other blocks in place of the old ones is noticed', async () => {
    await using chain = await support.startChain()
    const ledger = await chain.client()
    const journal = new Journal()
    const subscription = await ledger.subscribe('main', journal.handle)
    const signer = await support.fundedSigner(ledger)
    const keys = [1, 2, 3, 4].map(() => support.randomWord())
    for (const key of keys) await ledger.set(signer, key, utf8('x'))
    await subscription.caughtUp()
    await chain.rpc('anvil_reorg', [3, []])
    for (const key of keys) await until(async () => (await ledger.get(signer.address, key)).length === 1)
    await until(async () => (await ledger.pending()).length === 0)
    await subscription.caughtUp()
    expect(journal.rewinds).toBe(1)
    expect(journal.keys()).toEqual(await canonical(ledger))
    expect(journal.events.filter((e) => e.name === 'ValueSet')).toHaveLength(4)
  })

  test('after a killed anvil comes back blocks earlier, even the account is funded again', async () => {
    await using chain = await support.startChain({ saveMs: 3_600_000 })
    const cursors = new MemoryCursorStore()
    const ledger = await chain.client({}, { cursors })
    const journal = new Journal()
    const subscription = await ledger.subscribe('main', journal.handle)
    const owner = await support.fundedSigner(ledger)
    await chain.devnet.save()
    // From here on the chain will forget everything, the funding of the second account included.
    const requester = await support.fundedSigner(ledger)
    const identity = await support.pseudonym(ledger, owner)
    const predicate = await support.publish(ledger, owner, { kind: 'anyone' })
    const input = support.referenceInput(identity, predicate)
    const ref = ledger.referenceId(identity, input.xRef)
    await ledger.createReference(owner, input)
    const { jobId } = await ledger.requestJob(requester, support.jobRequest([ref]))
    await ledger.admit(requester, jobId, [ref])
    await subscription.caughtUp()
    const before = journal.events.map((e) => e.name)
    const pid = chain.devnet.anvilPid
    process.kill(pid, 'SIGKILL')
    await until(async () => chain.devnet.anvilPid !== pid && (await ledger.authorised(jobId, ref)))
    await until(async () => (await ledger.pending()).length === 0)
    await subscription.caughtUp()
    expect(journal.rewinds).toBeGreaterThan(0)
    expect(journal.events.map((e) => e.name).sort()).toEqual(before.sort())
    expect(journal.keys()).toEqual(await canonical(ledger))
  })
})

describe('the event cursor', () => {
  test('continues after a restart where it was, and finds a rewind that happened in between', async () => {
    await using chain = await support.startChain()
    const cursors = new MemoryCursorStore()
    const first = await chain.client({}, { cursors })
    const journal = new Journal()
    const signer = await support.fundedSigner(first)
    const one = await first.subscribe('main', journal.handle)
    await first.set(signer, support.randomWord(), utf8('a'))
    await first.set(signer, support.randomWord(), utf8('b'))
    await one.caughtUp()
    const seen = journal.events.length
    await first.stop()
    const second = await chain.client({}, { cursors })
    const again = await second.subscribe('main', journal.handle)
    await again.caughtUp()
    expect(journal.events).toHaveLength(seen)
    await second.stop()
    await chain.rpc('anvil_rollback', [1])
    const third = await chain.client({}, { cursors })
    const last = await third.subscribe('main', journal.handle)
    await last.caughtUp()
    expect(journal.rewinds).toBe(1)
    expect(journal.events).toHaveLength(seen - 1)
    expect(journal.keys()).toEqual(await canonical(third))
  })

  test('delivers nothing before the configured confirmations', async () => {
    await using chain = await support.startChain()
    const ledger = await chain.client({ confirmations: 3 })
    const journal = new Journal()
    const signer = await support.fundedSigner(ledger)
    await chain.rpc('anvil_mine', ['0x3'])
    const subscription = await ledger.subscribe('main', journal.handle)
    const { blockNumber } = await ledger.set(signer, ZERO_BYTES32, utf8('a'), { wait: 'mined' })
    await subscription.caughtUp()
    expect(journal.events.some((e) => e.name === 'ValueSet')).toBe(false)
    expect(await ledger.get(signer.address, ZERO_BYTES32)).toHaveLength(0)
    expect(await ledger.get(signer.address, ZERO_BYTES32, 'latest')).toHaveLength(1)
    expect((await ledger.pending()).map((i) => i.blockNumber)).toEqual([blockNumber])
    await chain.rpc('anvil_mine', ['0x2'])
    await subscription.caughtUp()
    expect(journal.events.some((e) => e.name === 'ValueSet')).toBe(true)
    expect(await ledger.get(signer.address, ZERO_BYTES32)).toHaveLength(1)
    await until(async () => (await ledger.pending()).length === 0)
  })

  test('a handler that throws gets the same batch again', async () => {
    await using chain = await support.startChain()
    const ledger = await chain.client()
    const journal = new Journal()
    let failures = 2
    const subscription = await ledger.subscribe('main', (batch) => {
      if (failures-- > 0) throw new Error('disk full')
      journal.handle(batch)
    })
    const signer = await support.fundedSigner(ledger)
    await ledger.set(signer, ZERO_BYTES32, utf8('a'))
    await until(async () => journal.events.some((e) => e.name === 'ValueSet'))
    await subscription.caughtUp()
    expect(journal.keys()).toEqual(await canonical(ledger))
  })
})

test('a handler may itself write and wait', async () => {
  await using chain = await support.startChain()
  const ledger = await chain.client({ confirmations: 2 })
  const signer = await support.fundedSigner(ledger)
  const answer = support.randomWord()
  let answered = false
  await ledger.subscribe('main', async (batch) => {
    if (batch.kind === 'rewind' || !batch.events.some((e) => e.name === 'ValueSet')) return
    await ledger.set(signer, answer, utf8('answer'))
    answered = true
  })
  await ledger.set(signer, support.randomWord(), utf8('question'), { wait: 'mined' })
  await chain.rpc('anvil_mine', ['0x1'])
  await until(async () => (await ledger.get(signer.address, answer, 'latest')).length > 0)
  await chain.rpc('anvil_mine', ['0x1'])
  await until(async () => answered)
})

describe('the outbox', () => {
  test('sends after a restart what was stored before it', async () => {
    await using chain = await support.startChain()
    const outbox = new MemoryOutboxStore()
    const first = await chain.client({}, { outbox })
    const signer = await support.fundedSigner(first)
    // The process dies between storing and sending: the signer never signs.
    const stuck = { ...signer, signTransaction: () => new Promise<never>(() => undefined) }
    await first.set(stuck, ZERO_BYTES32, utf8('later'), { wait: 'stored', id: 'intent' })
    expect(outbox.list()).toMatchObject([{ id: 'intent', state: 'pending' }])
    const second = await chain.client({}, { outbox })
    expect(await second.get(signer.address, ZERO_BYTES32)).toHaveLength(0)
    second.useSigner(signer)
    await until(async () => (await second.get(signer.address, ZERO_BYTES32)).length > 0)
    expect(await second.set(signer, ZERO_BYTES32, utf8('later'), { id: 'intent' })).toMatchObject({
      id: 'intent',
    })
    await second.stop()
    // A crash after sending, before the receipt was stored: the hash is known, nothing is sent twice.
    const [intent] = outbox.list()
    outbox.put({ ...intent!, state: 'pending', blockNumber: null, blockHash: null })
    const nonce = await chain.rpc('eth_getTransactionCount', [signer.address, 'latest'])
    const third = await chain.client({}, { outbox })
    third.useSigner(signer)
    await until(async () => outbox.list()[0]?.state === 'mined')
    expect(await chain.rpc('eth_getTransactionCount', [signer.address, 'latest'])).toBe(nonce)
  })

  test('keeps order under concurrent writes of one account, and payments are made once', async () => {
    await using chain = await support.startChain()
    const ledger = await chain.client()
    const signer = await support.fundedSigner(ledger)
    const key = support.randomWord()
    const words = Array.from({ length: 20 }, (_, i) => utf8(`value ${i}`))
    const results = await Promise.all(words.map((w) => ledger.set(signer, key, w)))
    const blocks = results.map((r) => r.blockNumber!)
    expect(blocks).toEqual([...blocks].sort((a, b) => a - b))
    expect(await ledger.get(signer.address, key)).toEqual(words.at(-1))
    const target = support.newSigner().address
    await Promise.all([
      ledger.transfer(signer, target, 5n, { id: 'pay' }),
      ledger.transfer(signer, target, 5n, { id: 'pay' }),
      ledger.transfer(signer, target, 7n),
    ])
    expect(await ledger.balance(target)).toBe(12n)
  })

  test('says when an account cannot pay', async () => {
    await using chain = await support.startChain()
    const ledger = await chain.client()
    await expect(ledger.set(support.newSigner(), ZERO_BYTES32, utf8('x'))).rejects.toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
    })
    expect(await ledger.pending()).toEqual([])
  })

  test('two processes with one account both get through', async () => {
    await using chain = await support.startChain()
    const [a, b] = [await chain.client(), await chain.client()]
    const signer = await support.fundedSigner(a)
    const writes = Array.from({ length: 10 }, (_, i) =>
      (i % 2 ? a : b).set(signer, support.randomWord(), utf8(`${i}`)),
    )
    const results = await Promise.all(writes)
    expect(new Set(results.map((r) => r.txHash)).size).toBe(10)
  })
})
