import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { importedValue, prepareImport } from '../../../core/vault/import.ts'
import type { ImportOptions } from '../../../core/vault/types.ts'
import type { Vault } from '../../../core/vault/vault.ts'
import { PASSWORD, temporaryDir, vaultIn } from './helpers.ts'

const csv = (text: string, options: Partial<ImportOptions> = {}) =>
  prepareImport(new TextEncoder().encode(text), { format: 'csv', ...options })
const json = (value: unknown, options: Partial<ImportOptions> = {}) =>
  prepareImport(new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)), {
    format: 'json',
    ...options,
  })
const refused = (code = 'IMPORT_INVALID') => expect.objectContaining({ code, remedy: expect.any(String) })

describe('CSV', () => {
  it('reads the sample that ships', async () => {
    const { preview, rows } = prepareImport(
      await readFile(new URL('../../../assets/salaries.csv', import.meta.url)),
      { format: 'csv' },
    )
    expect(preview).toMatchObject({
      columns: [
        { name: 'owner', type: 'text' },
        { name: 'salary', type: 'number' },
      ],
      rowCount: 8,
      errorCount: 0,
      separator: ',',
    })
    expect(rows[0]).toEqual(['Ada', '5400.50'])
  })

  it('reads a byte order mark, quotes, line breaks in cells, CRLF and blank lines', () => {
    const { rows, columns } = csv('\ufeffname,note\r\n"Doe, J.","say ""hi""\r\nthere"\r\n\r\n李,\r\n')
    expect(columns.map((c) => c.name)).toEqual(['name', 'note'])
    expect(rows).toEqual([
      ['Doe, J.', 'say "hi"\r\nthere'],
      ['李', ''],
    ])
  })

  it.each([
    [';', 'a;b\n1;2\n'],
    ['\t', 'a\tb\n1\t2\n'],
    ['|', 'a|b\n1|2\n'],
    [',', 'a,b\n1,2\n'],
    [';', 'a;b\n1,5;2,5\n3,5;4,5\n'],
  ])('detects the separator %j', (separator, text) => {
    const { preview } = csv(text)
    expect(preview.separator).toBe(separator)
    expect(preview.columns.map((c) => c.name)).toEqual(['a', 'b'])
  })

  it('names row, line, column, problem and remedy of every bad cell', () => {
    const { preview, invalid } = csv(
      'who,salary\nA,100\n"B\nb","1,5"\nC,\nD,1e3\nE,€ 5\nF,abc\nG,"1,234.50"\nH,200\nI,300\nJ,1.234.567\n',
    )
    expect(preview.columns[1]).toEqual({ name: 'salary', type: 'number' })
    expect(preview.errors.map(({ row, line, value, problem }) => [row, line, value, problem])).toEqual([
      [2, 3, '1,5', 'decimal-comma'],
      [3, 5, '', 'empty'],
      [4, 6, '1e3', 'exponent'],
      [5, 7, '€ 5', 'currency-or-unit'],
      [6, 8, 'abc', 'not-a-number'],
      [7, 9, '1,234.50', 'thousands-separator'],
      [10, 12, '1.234.567', 'thousands-separator'],
    ])
    for (const error of preview.errors) {
      expect(error.column).toBe('salary')
      expect(error.remedy.length).toBeGreaterThan(10)
    }
    expect([...invalid]).toEqual([1, 2, 3, 4, 5, 6, 9])
    expect(preview.invalidRows).toBe(7)
  })

  it('refuses a column of decimal commas with the reason, instead of calling it text', () => {
    const { preview } = csv('a;b\n1,5;x\n2,5;y\n')
    expect(preview.columns[0]?.type).toBe('number')
    expect(preview.errors.map((e) => e.problem)).toEqual(['decimal-comma', 'decimal-comma'])
  })

  it('reports rows with too many or too few cells', () => {
    const { preview } = csv('a,b\n1,2\n3\n4,5,6\n7,8\n')
    expect(preview.errors.map((e) => [e.row, e.problem])).toEqual([
      [2, 'cell-count'],
      [3, 'cell-count'],
    ])
  })

  it('infers dates, booleans and text; a given type wins', () => {
    const text = 'd,b,t,n\n2026-01-02,true,x,1\n2026-02-28T10:00:00Z,FALSE,2,2\n'
    expect(csv(text).columns.map((c) => c.type)).toEqual(['date', 'boolean', 'text', 'number'])
    expect(csv(text).rows[1]).toEqual(['2026-02-28T10:00:00Z', 'false', '2', '2'])
    expect(csv(text, { types: { n: 'text', t: 'number' } }).preview.errors).toHaveLength(1)
    expect(() => csv(text, { types: { zz: 'text' } })).toThrow(refused())
    const { preview } = csv('d\n2026-01-01\n2026-02-30\n2026-03-01\n')
    expect(preview.errors.map((e) => [e.row, e.problem])).toEqual([[2, 'not-a-date']])
  })

  it('caps what it reports, not what it counts', () => {
    const { preview } = csv(`a\n${'x\n'.repeat(1500)}`, { types: { a: 'number' } })
    expect(preview.errors).toHaveLength(1000)
    expect(preview).toMatchObject({ errorCount: 1500, invalidRows: 1500 })
    expect(csv(`a\n${'y'.repeat(100)}\n`, { types: { a: 'number' } }).preview.errors[0]?.value).toHaveLength(
      40,
    )
  })

  it.each([
    ['nothing', ''],
    ['only a header', 'a,b\n'],
    ['an unnamed column', 'a,\n1,2\n'],
    ['the same name twice', 'a,a\n1,2\n'],
    ['an open quote', 'a,b\n"1,2\n'],
    ['a stray quote', 'a,b\n1"x,2\n'],
    ['a NUL', 'a\n\0\n'],
    ['too many columns', `${Array.from({ length: 300 }, (_, i) => `c${i}`).join(',')}\n`],
    ['too many rows', `a\n${'1\n'.repeat(100_001)}`],
  ])('refuses %s as a whole', (_, text) => {
    expect(() => csv(text)).toThrow(refused())
  })

  it('refuses other encodings instead of guessing', () => {
    for (const bytes of [
      Buffer.from('\ufeffa\n1\n', 'utf16le'),
      Buffer.from('a\ncaf\xe9\n', 'latin1'),
      new Uint8Array(65 * 2 ** 20),
    ])
      expect(() => prepareImport(bytes, { format: 'csv' })).toThrow(refused())
  })

  it('takes 100,000 rows', () => {
    const { preview } = csv(`a,b\n${Array.from({ length: 100_000 }, (_, i) => `${i}.5,x`).join('\n')}`)
    expect(preview).toMatchObject({ rowCount: 100_000, errorCount: 0 })
    expect(preview.sample).toHaveLength(10)
  })
})

describe('JSON', () => {
  it('takes objects, a table, or a plain list', () => {
    expect(
      json([
        { a: 1, b: 'x' },
        { b: 'y', a: 2 },
      ]).rows,
    ).toEqual([
      ['1', 'x'],
      ['2', 'y'],
    ])
    expect(json({ columns: ['a', { name: 'b' }], rows: [[1, 'x']] }).columns.map((c) => c.name)).toEqual([
      'a',
      'b',
    ])
    expect(json([1, 2.5]).preview.columns).toEqual([{ name: 'value', type: 'number' }])
  })

  it('keeps every digit that was written', () => {
    const { rows } = json('[{"v": 0.1000000000000000055511151231257827}, {"v": 12345678901234567890.10}]')
    expect(rows).toEqual([['0.1000000000000000055511151231257827'], ['12345678901234567890.10']])
  })

  it('reports nested values, missing members and exponents', () => {
    const { preview } = json(
      '[{"a":1},{"a":{"x":1}},{"b":2,"a":[1]},{"a":1e3},{"a":2},{"a":3},{"a":4},{"a":5}]',
      { types: { b: 'text' } },
    )
    expect(preview.errors.map((e) => [e.row, e.column, e.problem])).toEqual([
      [2, 'a', 'nested-value'],
      [3, 'a', 'nested-value'],
      [4, 'a', 'exponent'],
    ])
  })

  it.each([
    '',
    '{',
    '{}',
    '[]',
    '1',
    'null',
    '[1,{"a":1}]',
    '{"columns":[],"rows":[]}',
    '{"columns":["a"],"rows":[1]}',
  ])('refuses %s', (text) => {
    expect(() => json(text)).toThrow(refused())
  })

  it('treats __proto__ as a name like any other', () => {
    const { columns } = json('[{"__proto__": 1, "a": 2}]')
    expect(columns.map((c) => c.name)).toEqual(['__proto__', 'a'])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('commit', () => {
  let home: Awaited<ReturnType<typeof temporaryDir>>
  let vault: Vault
  beforeAll(async () => {
    home = await temporaryDir()
    vault = vaultIn(home.dir)
    await vault.create(PASSWORD)
  })
  afterAll(async () => {
    await vault.lock()
    await home.remove()
  })
  const file = (text: string) => [new TextEncoder().encode(text)]

  it('stores nothing while there are errors, unless they are skipped on purpose', async () => {
    const content = file('o,s\nA,1\nB,x\nC,3\nD,4\n')
    const { errorCount } = await vault.previewImport(content, { format: 'csv' })
    expect(errorCount).toBe(1)
    await expect(vault.importTable(content, { format: 'csv' }, { title: 't' })).rejects.toMatchObject({
      code: 'IMPORT_INVALID',
      details: { errors: 1, rows: 1 },
    })
    expect(await vault.list()).toEqual([])
    const record = await vault.importTable(content, { format: 'csv' }, { title: 't', skipInvalidRows: true })
    expect(record.shape).toMatchObject({ rows: 3 })
    expect(await vault.numericColumn(record.id, 's')).toEqual(['1', '3', '4'])
    expect((await vault.activity({ kind: 'record.imported' }))[0]?.fields).toMatchObject({
      rows: 3,
      skippedRows: 1,
    })
  })

  it('reads a long file in pieces, in a thread, to the same values and the same errors', async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => [`person ${i}`, (i * 1.25).toFixed(2)])
    const text = `who,amount\n${rows.map((row) => row.join(',')).join('\n')}`
    const whole = new TextEncoder().encode(text)
    const content = (bytes: Uint8Array) => [
      bytes.subarray(0, 77),
      bytes.subarray(77, 50_000),
      bytes.subarray(50_000),
    ]
    const preview = await vault.previewImport(content(whole), { format: 'csv' })
    expect(preview).toEqual(prepareImport(whole, { format: 'csv' }).preview)
    const { id } = await vault.importTable(content(whole), { format: 'csv' }, { title: 'long' })
    expect((await vault.get(id)).value).toMatchObject({ rows })
    // Cut within a character: é takes two bytes.
    const broken = new TextEncoder().encode(`${'é'.repeat(99)},v\n${'"x,1\n'.repeat(20_000)}`)
    await expect(vault.previewImport(content(broken), { format: 'csv' })).rejects.toMatchObject({
      code: 'IMPORT_INVALID',
    })
  })

  it('makes a time series, sorted, without repeated times', async () => {
    const prepared = csv('t,v\n2026-01-02,2\n2026-01-01,1.5\n')
    expect(importedValue(prepared, { title: 't', as: 'timeseries' })).toEqual({
      type: 'timeseries',
      times: [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 2)],
      values: ['1.5', '2'],
    })
    expect(() =>
      importedValue(csv('t,v\n2026-01-02,2\n2026-01-02,1\n'), { title: 't', as: 'timeseries' }),
    ).toThrow(refused())
    expect(() => importedValue(csv('a,b\n1,2\n'), { title: 't', as: 'timeseries' })).toThrow(refused())
  })
})
