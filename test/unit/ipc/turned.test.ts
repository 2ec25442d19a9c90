import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseOutput } from '../../../core/ipc/index.ts'
import { jsonInTurns, parseOutputInTurns } from '../../../core/ipc/turned.ts'

const word = (i: number) => `0x${i.toString(16).padStart(64, '0')}`
const address = (i: number) => `0x${i.toString(16).padStart(40, '0')}`

function references(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    ...{ ref: word(i), owner: address(1), identity: address(2), predicateId: word(3), length: 1 },
    ...{ state: 'active', createdAt: i, mine: true, title: `number ${i}` },
  }))
}

describe('answers with long lists', () => {
  it.each([0, 1, 55, 56, 1234])('of %i items are checked as short ones are', async (count) => {
    const output = { references: references(count), more: 'is stripped' }
    const checked = await parseOutputInTurns('compute.references', output)
    expect(checked).toEqual(parseOutput('compute.references', output))
    expect(checked.references).toHaveLength(count)
    expect(output.references).toHaveLength(count)
  })

  it.each([0, 55, 56, 999])('are refused when item %i does not fit', async (at) => {
    const list: unknown[] = references(1000)
    list[at] = { ref: 'no reference' }
    await expect(parseOutputInTurns('compute.references', { references: list })).rejects.toMatchObject({
      code: 'RESPONSE_INVALID',
    })
  })

  it('of few items, each of them long, are checked as short ones are', async () => {
    const approval = (i: number, last = word(0)) => ({
      ...{ id: word(i), requester: address(1), function: 'mean', codeHash: word(1), params: {}, owners: 2 },
      ...{ reveals: 'the mean', committeeSize: 3, protocol: 'spdz', requestedAt: i, state: 'waiting' },
      references: [...references(2500), { ref: last, title: 'the last' }],
    })
    const output = { approvals: [approval(1), approval(2), approval(3)] }
    const checked = await parseOutputInTurns('approvals.list', output)
    expect(checked).toEqual(parseOutput('approvals.list', output))
    expect(checked.approvals.map((a) => a.references.length)).toEqual([2501, 2501, 2501])
    const wrong = { approvals: [...output.approvals, approval(4, 'no reference')] }
    await expect(parseOutputInTurns('approvals.list', wrong)).rejects.toMatchObject({
      code: 'RESPONSE_INVALID',
    })
  })

  it('lose what the contract does not name, and nothing else', async () => {
    const output = { references: references(1), others: Array.from({ length: 600 }, (_, i) => i) }
    expect(await parseOutputInTurns('compute.references', output)).toEqual({ references: references(1) })
  })

  it('are refused without the list', async () => {
    await expect(parseOutputInTurns('compute.references', {})).rejects.toMatchObject({
      code: 'RESPONSE_INVALID',
    })
  })

  it('are written as JSON', async () => {
    const long = (item: fc.Arbitrary<unknown>) =>
      fc
        .tuple(item, fc.nat(900))
        .map(([value, length]) => Array.from({ length }, (_, i) => (i % 7 === 0 ? value : i)))
    const value = fc.jsonValue()
    const frame = fc.dictionary(
      fc.string(),
      fc.oneof(value, long(value), fc.dictionary(fc.string(), long(value)), fc.constant(undefined)),
    )
    await fc.assert(
      fc.asyncProperty(frame, async (frame) => {
        let text = ''
        for await (const piece of jsonInTurns({ ...frame })) text += piece
        expect(text).toBe(JSON.stringify({ ...frame }))
      }),
    )
  })
})
