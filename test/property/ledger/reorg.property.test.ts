import fc from 'fast-check'
import { expect, test } from 'vitest'
import { utf8 } from '../../../core/base/bytes.ts'
import type { EventBatch, LedgerEvent } from '../../../core/ledger/types.ts'
import * as support from '../../unit/ledger/support.ts'

/** Schedules; `RUNS=1000` is the long version. */
const RUNS = Number(process.env.RUNS ?? 6)

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('set' as const), key: fc.nat(3), value: fc.nat(255) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('mine' as const), blocks: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('rollback' as const), depth: fc.integer({ min: 1, max: 64 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reorg' as const), depth: fc.integer({ min: 1, max: 64 }) }),
  },
)

test(
  'any schedule of writes and reorganisations ends with the last written values, each event once',
  async () => {
    await using chain = await support.startChain({ saveMs: 3_600_000 })
    const ledger = await chain.client({ pollMs: 10 })
    const signer = await support.fundedSigner(ledger)
    let events: LedgerEvent[] = []
    let readers = 0
    const apply = (batch: EventBatch) => {
      if (batch.kind === 'rewind') events = events.filter((e) => e.blockNumber <= batch.toBlock)
      else events.push(...batch.events)
    }
    const subscription = await ledger.subscribe('main', apply)
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
        const keys = [0, 1, 2, 3].map(() => support.randomWord())
        const last = new Map<string, number>()
        const floor = (await ledger.head()).number
        for (const s of steps) {
          const height = (await ledger.head()).number - floor
          if (s.kind === 'set') {
            // Not awaited until it is mined: writes, looks and reorganisations interleave.
            await ledger.set(signer, keys[s.key]!, Uint8Array.of(s.value), { wait: 'stored' })
            last.set(keys[s.key]!, s.value)
          } else if (s.kind === 'mine') {
            await chain.rpc('anvil_mine', [`0x${s.blocks.toString(16)}`])
          } else if (height > 1) {
            const depth = Math.min(s.depth, height - 1)
            const [method, params] =
              s.kind === 'rollback' ? ['anvil_rollback', [depth]] : ['anvil_reorg', [depth, []]]
            // anvil refuses when a block arrives while it works: then there is no reorganisation here.
            await chain.rpc(method as string, params as unknown[]).catch((error) => {
              if (!/Resource not found|unavailable/.test(String(error))) throw error
            })
          }
        }
        await settle(ledger)
        for (const [key, value] of last)
          expect(await ledger.get(signer.address, key as `0x${string}`)).toEqual(Uint8Array.of(value))
        await subscription.caughtUp()
        // Someone who reads the chain for the first time sees the same events.
        const fresh: LedgerEvent[] = []
        const again = await ledger.subscribe(`fresh ${readers++}`, (batch) => {
          if (batch.kind === 'events') fresh.push(...batch.events)
        })
        await again.caughtUp()
        await again.close()
        expect(events).toEqual(fresh)
        await ledger.set(signer, support.randomWord(), utf8('end'))
      }),
      { numRuns: RUNS, endOnFailure: true },
    )
  },
  RUNS * 15_000,
)

/** Nothing is waiting, and nothing that was mined has been dropped since. */
async function settle(ledger: Awaited<ReturnType<support.TestChain['client']>>): Promise<void> {
  for (let quiet = 0, i = 0; quiet < 4; i++) {
    if (i > 2000) throw new Error('the outbox never came to rest')
    await new Promise((resolve) => setTimeout(resolve, 15))
    quiet = (await ledger.pending()).length === 0 ? quiet + 1 : 0
  }
}
