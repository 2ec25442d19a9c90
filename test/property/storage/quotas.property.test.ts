import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openNodeStorage } from '../../../core/storage/node-storage.ts'

const hash = (n: number) => `0x${n.toString(16).padStart(64, '0')}` as const
const owner = (n: number) => `0x${n.toString(16).padStart(40, '0')}` as const

it('usage is what is stored, and never above the quotas, whatever happens', async () => {
  const quotas = { totalBytes: 9000, ownerBytes: 5000, ownerRecords: 5 }
  const command = fc.record({
    op: fc.constantFrom('put', 'put', 'put', 'delete', 'activate'),
    key: fc.nat(12),
    by: fc.nat(2),
    bytes: fc.integer({ min: 1, max: 2500 }),
    pending: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
      const s = openNodeStorage(':memory:', { quotas })
      const model = new Map<number, { by: number; bytes: number; pending: boolean }>()
      for (const c of commands) {
        const key = hash(c.key)
        if (c.op === 'delete') expect(await s.records.delete('encrypted', key)).toBe(model.delete(c.key))
        else if (c.op === 'activate') {
          expect(s.records.activate('encrypted', key, [])).toBe(model.has(c.key))
          const m = model.get(c.key)
          if (m) m.pending = false
        } else {
          try {
            await s.records.put({
              record: { kind: 'encrypted', key, owner: owner(c.by), ciphertext: new Uint8Array(c.bytes) },
              digest: hash(c.bytes),
              state: c.pending ? 'pending' : 'active',
              authorization: {
                action: 'put',
                kind: 'encrypted',
                key,
                content: key,
                owner: owner(c.by),
                signer: owner(c.by),
                time: 0,
                signature: new Uint8Array(1),
              },
              placements: [],
              expires: c.pending ? 1 : undefined,
            })
            const same = model.get(c.key)
            if (!same || same.bytes !== c.bytes) model.set(c.key, c)
          } catch (error) {
            expect(['QUOTA_EXCEEDED', 'RECORD_INVALID']).toContain((error as { code: string }).code)
          }
        }
        let total = 0
        for (let by = 0; by <= 2; by++) {
          const own = [...model.values()].filter((m) => m.by === by)
          const usage = s.records.usage(owner(by))
          expect(usage.records).toBe(own.length)
          expect(usage.bytes).toBeGreaterThanOrEqual(own.reduce((sum, m) => sum + m.bytes, 0))
          expect(usage.bytes).toBeLessThanOrEqual(quotas.ownerBytes)
          expect(usage.records).toBeLessThanOrEqual(quotas.ownerRecords)
          total += usage.bytes
        }
        expect(s.records.usage()).toEqual({ records: model.size, bytes: total })
        expect(total).toBeLessThanOrEqual(quotas.totalBytes)
      }
      s.close()
    }),
    { numRuns: 60 },
  )
})
