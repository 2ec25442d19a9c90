import { describe, expect, it } from 'vitest'
import { commitInSlices } from '../../../core/audit/committing.ts'
import { auditedMaterial } from '../../../core/audit/layout.ts'
import type { AuditVerdict } from '../../../core/audit/types.ts'
import { verifyTranscript } from '../../../core/audit/verify.ts'
import { ConsumeOnceStore } from '../../../core/preprocessing/store.ts'
import {
  type AuthShare,
  COMMITTED_KINDS,
  type MaterialKind,
  type MaterialSource,
  type Ranges,
} from '../../../core/preprocessing/types.ts'
import { openDatabase } from '../../../core/storage/database.ts'
import { MATERIAL_MIGRATIONS, SqliteMaterialRecords } from '../../../core/storage/material.ts'
import { auditedRun, field, resultOf, transcriptOf } from './committee.ts'
import { mixed, mixedResult } from './programs.ts'

const X = [5n, 0n, 7n, 1n << 40n]
const Y = [3n, 11n, 0n, 2n]

/** The dealer's material through a store that has commitments to the first `rows` of two rows of each kind. */
async function stored(dealer: MaterialSource, rows: number): Promise<MaterialSource> {
  const { epoch, macKey } = dealer
  const database = openDatabase(':memory:', MATERIAL_MIGRATIONS)
  const store = new ConsumeOnceStore({ field }, { records: new SqliteMaterialRecords(database) })
  store.open(epoch, macKey)
  const amounts = auditedMaterial(mixed().circuit)
  const flat = (...all: AuthShare[]) => all.flatMap(({ share, mac }) => [share, mac])
  const make = async (kind: MaterialKind, count: number) => {
    if (kind === 'triple') {
      const { a, b, c } = await dealer.triples(count)
      return flat(a, b, c)
    }
    return flat(kind === 'bit' ? await dealer.bits(count) : await dealer.randoms(count))
  }
  const ranges: Record<string, { from: number; count: number }> = {}
  for (const kind of COMMITTED_KINDS) {
    const count = amounts[kind] ?? 0
    const first = count >> 1
    for (const size of [first, count - first]) await store.append(epoch.id, kind, await make(kind, size))
    for (let row = 0; row < rows; row++)
      expect(await store.commitAhead(epoch.id, kind, count, commitInSlices)).toBe(true)
    expect(store.committed(epoch.id, kind)).toBe([0, first, count][rows])
    ranges[kind] = { from: 0, count }
  }
  for (const [owner] of epoch.parties.entries()) {
    const { shares, clear } = await dealer.masks(owner, amounts.mask ?? 0)
    await store.append(epoch.id, 'mask', [...flat(shares), ...(clear ? [clear] : [])], owner)
  }
  ranges.mask = { from: 0, count: amounts.mask ?? 0 }
  return store.claim(epoch.id, 'job', ranges as Ranges)
}

describe('commitments made ahead', () => {
  it('stand where those of the run would, and only the missing ones are made in it', async () => {
    const { triple = 0, bit = 0, random = 0 } = auditedMaterial(mixed().circuit)
    const halves = 3 * (triple >> 1) + (bit >> 1) + (random >> 1)
    const all = 3 * triple + bit + random
    const made = [0, 0, 0]
    // All is ready at one party, one row of each kind at another, nothing at the third.
    const run = await auditedRun(3, mixed(), [X, Y], {
      material: (dealer, i) => stored(dealer, 2 - i),
      party: (i) => ({
        commit: (values, masks, signal) => {
          made[i]! += values.length
          return commitInSlices(values, masks, signal)
        },
      }),
    })
    const verdict = await verifyTranscript(transcriptOf(run), run.facts)
    expect(verdict).toMatchObject({ valid: true })
    const result = resultOf(run, verdict as AuditVerdict & { valid: true })
    expect(result).toEqual(mixedResult(X, Y, field.modulus))
    expect(made).toEqual([0, all - halves, all])
  })
})
