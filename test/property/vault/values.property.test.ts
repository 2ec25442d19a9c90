import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeCanonical } from '../../../core/base/cbor.ts'
import { decodeCanonical } from '../../../core/vault/codec.ts'
import { importedValue, prepareImport } from '../../../core/vault/import.ts'
import { mergeRecord } from '../../../core/vault/merge.ts'
import type { StoredRecord } from '../../../core/vault/state.ts'
import { decodeState, encodeState } from '../../../core/vault/state.ts'
import type { ColumnType, NewRecordValue } from '../../../core/vault/types.ts'
import { canonicalDecimal, checkPlain, checkValue } from '../../../core/vault/values.ts'

const decimal = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    fc.bigInt({ min: 0n, max: 10n ** 30n }),
    fc.option(fc.stringMatching(/^\d{1,20}$/), { nil: undefined }),
  )
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}`)
const name = fc
  .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
  .filter((s) => s.trim() === s && s !== '' && !s.includes('\0'))
const cellText = fc.string({ maxLength: 20, unit: 'grapheme' }).filter((s) => !s.includes('\0'))
const table = fc
  .uniqueArray(fc.tuple(name, fc.constantFrom<ColumnType>('number', 'text', 'boolean')), {
    minLength: 1,
    maxLength: 5,
    selector: ([n]) => n,
  })
  .chain((columns) =>
    fc.record({
      columns: fc.constant(columns.map(([n, type]) => ({ name: n, type }))),
      rows: fc.array(
        fc.tuple(
          ...columns.map(([, type]) =>
            type === 'number'
              ? decimal.map((d) => canonicalDecimal(d)!)
              : type === 'boolean'
                ? fc.constantFrom('true', 'false')
                : cellText,
          ),
        ),
        { minLength: 1, maxLength: 10 },
      ),
    }),
  )
const value: fc.Arbitrary<NewRecordValue> = fc.oneof(
  decimal.map((v): NewRecordValue => ({ type: 'number', value: canonicalDecimal(v)! })),
  fc.string({ unit: 'grapheme' }).map((text): NewRecordValue => ({ type: 'text', text })),
  table.map((t): NewRecordValue => ({ type: 'table', ...t })),
  fc
    .uniqueArray(fc.tuple(fc.integer(), decimal), { selector: ([t]) => t, maxLength: 20 })
    .map((points): NewRecordValue => {
      const sorted = points.sort(([a], [b]) => a - b)
      return {
        type: 'timeseries',
        times: sorted.map(([t]) => t),
        values: sorted.map(([, v]) => canonicalDecimal(v)!),
      }
    }),
)

describe('decimals', () => {
  it('canonical form is stable and has the same value', () => {
    const exact = (text: string) => {
      const [, sign, whole, fraction = ''] = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text)!
      return BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction.padEnd(40, '0')}`)
    }
    fc.assert(
      fc.property(decimal, (text) => {
        const canonical = canonicalDecimal(text)!
        expect(canonicalDecimal(canonical)).toBe(canonical)
        expect(exact(canonical)).toBe(exact(text))
        expect(canonical).toMatch(/^(0|-?[1-9]\d*|-?0)(\.\d+)?$/)
      }),
    )
  })

  it.each(['', '.5', '5.', '1e3', '0x10', '1,5', ' 1', '１', 'NaN', '--1', '1_000', `${'9'.repeat(61)}`])(
    '%j is none',
    (text) => {
      expect(canonicalDecimal(text)).toBeUndefined()
    },
  )

  it('zero has no sign', () => {
    for (const [text, canonical] of [
      ['-0', '0'],
      ['-0.00', '0.00'],
      ['+007.10', '7.10'],
      ['-0.01', '-0.01'],
    ])
      expect(canonicalDecimal(text!)).toBe(canonical)
  })
})

it('values survive checking, encoding and decoding unchanged', async () => {
  await fc.assert(
    fc.asyncProperty(value, async (v) => {
      const checked = await checkValue(v)
      expect(checked).toEqual(v)
      expect(await checkValue(decodeCanonical(encodeCanonical(checked)) as NewRecordValue)).toEqual(v)
    }),
    { numRuns: 200 },
  )
})

it('records and settings survive the vault file', async () => {
  const plain = fc.letrec<{ v: unknown }>((tie) => ({
    v: fc.oneof(
      { maxDepth: 3 },
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((d) => !Number.isInteger(d)),
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array(),
      fc.array(tie('v'), { maxLength: 4 }),
      fc.dictionary(
        name.filter((k) => k !== '__proto__'),
        tie('v'),
        { maxKeys: 4, noNullPrototype: true },
      ),
    ),
  })).v
  await fc.assert(
    fc.asyncProperty(
      value,
      plain,
      fc.string({ minLength: 1, unit: 'grapheme' }),
      async (v, setting, title) => {
        const record: StoredRecord = {
          id: 'ab'.repeat(16),
          version: 1,
          time: 5,
          created: 4,
          title,
          tags: ['t'],
          content: { type: v.type, shape: {}, inline: v },
          history: [],
          shares: [{ id: 's' }],
        }
        const state = {
          id: new Uint8Array(16),
          created: 1,
          contentKey: new Uint8Array(32),
          entropy: new Uint8Array(16),
          records: new Map([[record.id, record]]),
          settings: new Map([['k', { value: checkPlain(setting), updated: 1 }]]),
          anchor: { count: 3, hash: new Uint8Array(32), bytes: 99 },
        }
        expect(await decodeState(await encodeState(state))).toEqual(state)
      },
    ),
    { numRuns: 100 },
  )
})

describe('import', () => {
  const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`

  it('CSV round trip, every separator', () => {
    fc.assert(
      fc.property(table, fc.constantFrom(',', ';', '\t', '|'), fc.boolean(), (t, separator, bom) => {
        const lines = [t.columns.map((c) => c.name), ...t.rows].map((row) => row.map(quote).join(separator))
        const prepared = prepareImport(
          new TextEncoder().encode(`${bom ? '\ufeff' : ''}${lines.join('\r\n')}\r\n`),
          {
            format: 'csv',
            separator: separator as ',',
            types: Object.fromEntries(t.columns.map((c) => [c.name, c.type])),
          },
        )
        expect(prepared.preview.errors).toEqual([])
        // A row whose cells are all empty is an empty line for CSV only without quotes; ours are quoted.
        expect(importedValue(prepared, { title: 'x' })).toEqual({ type: 'table', ...t })
      }),
      { numRuns: 200 },
    )
  })

  it('JSON round trip', () => {
    fc.assert(
      fc.property(table, (t) => {
        const prepared = prepareImport(
          new TextEncoder().encode(JSON.stringify({ columns: t.columns, rows: t.rows })),
          {
            format: 'json',
            types: Object.fromEntries(t.columns.map((c) => [c.name, c.type])),
          },
        )
        expect(importedValue(prepared, { title: 'x' })).toEqual({ type: 'table', ...t })
      }),
      { numRuns: 200 },
    )
  })

  it('any bytes give a preview or IMPORT_INVALID', () => {
    const text = fc
      .array(
        fc.constantFrom(
          'a',
          '1',
          ',',
          ';',
          '"',
          '\n',
          '\r\n',
          ' ',
          '.',
          '{',
          '}',
          '[',
          ']',
          ':',
          '\ufeff',
          '李',
        ),
      )
      .map((c) => c.join(''))
    fc.assert(
      fc.property(
        fc.oneof(text, fc.string()),
        fc.constantFrom<'csv' | 'json'>('csv', 'json'),
        (content, format) => {
          try {
            const { preview, rows } = prepareImport(new TextEncoder().encode(content), { format })
            expect(rows).toHaveLength(preview.rowCount)
          } catch (error) {
            expect(error).toMatchObject({ code: 'IMPORT_INVALID' })
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

it('merging is idempotent and gives both sides the same versions', () => {
  const versions = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.constantFrom('a', 'b', 'c')), {
    minLength: 1,
    maxLength: 6,
    selector: ([t]) => t,
  })
  const record = versions.map((list): StoredRecord => {
    const all = list
      .sort(([a], [b]) => a - b)
      .map(([time, text], i) => ({
        version: i + 1,
        time,
        title: text,
        tags: [],
        content: { type: 'text' as const, shape: {}, inline: { type: 'text' as const, text } },
      }))
    return { ...all.at(-1)!, id: 'ab'.repeat(16), created: 0, history: all.slice(0, -1), shares: [] }
  })
  const essence = (r: StoredRecord) => [...r.history, r].map((v) => [v.time, v.title])
  fc.assert(
    fc.property(record, record, (a, b) => {
      const ab = mergeRecord(a, b) ?? a
      const ba = mergeRecord(b, a) ?? b
      expect(essence(ab)).toEqual(essence(ba))
      expect(mergeRecord(ab, b)).toBeUndefined()
      expect(mergeRecord(ab, a)).toBeUndefined()
      expect(mergeRecord(ab, ab)).toBeUndefined()
    }),
  )
})
