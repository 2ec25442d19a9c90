import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../core/base/log.ts'
import type { NodeContext } from '../../../core/node/context.ts'
import { shareEntry } from '../../../core/node/share-entry.ts'
import { Upkeep } from '../../../core/node/upkeep.ts'
import type { ShareEntry } from '../../../core/vault/types.ts'

const share = (i: number, revoked = false): ShareEntry =>
  shareEntry({
    ...{ ref: `ref ${i}`, identity: 'me', predicateId: 'rule', n: 3, t: 1, length: 1, createdAt: 0, revoked },
    holders: [1, 2, 3].map((index) => ({ index, nodeId: `node ${index}` })),
  })

/** A vault with these shares, whose second parts are somewhere else by now. */
function owner(shares: ShareEntry[]) {
  const asked: string[] = []
  const changed: ShareEntry[] = []
  const context = {
    ...{ log: silentLog, online: () => false, events: { emit: () => undefined } },
    vault: {
      status: async () => ({ unlocked: true }),
      list: async ({ trash = false } = {}) => (trash ? [] : [{ id: 'record', title: 'record', shares }]),
      putShare: async (_: string, entry: ShareEntry) => void changed.push(entry),
    },
    dht: {
      client: {
        locate: async (_: string, key: string) => {
          asked.push(key)
          return [
            { index: 2, holder: 'another' },
            { index: 3, holder: 'node 3' },
          ]
        },
      },
    },
  } as unknown as NodeContext
  return { upkeep: new Upkeep(context), asked, changed }
}

describe('the upkeep of shares', () => {
  it('notes where they are, and that one whose holder does not answer is where it was', async () => {
    const { upkeep, asked, changed } = owner([share(1), share(2, true)])
    await upkeep.refreshHolders()
    expect(asked).toEqual(['ref 1'])
    expect(changed.map(({ id, holders }) => ({ id, holders }))).toEqual([
      {
        id: 'ref 1',
        holders: ['node 1', 'another', 'node 3'].map((nodeId, i) => ({ index: i + 1, nodeId })),
      },
    ])
  })

  it('goes through many in parts, one after the other', async () => {
    const { upkeep, asked } = owner(Array.from({ length: 120 }, (_, i) => share(i)))
    await Promise.all([upkeep.refreshHolders(), upkeep.refreshHolders()])
    expect(asked).toHaveLength(50)
    for (let k = 0; k < 2; k++) await upkeep.refreshHolders()
    expect(new Set(asked).size).toBe(120)
    await upkeep.refreshHolders()
    expect(asked.at(-1)).toBe('ref 49')
  })
})
