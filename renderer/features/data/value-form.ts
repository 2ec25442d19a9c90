import * as z from 'zod'
import { decimal, MAX_CELLS, type NewValue, type RecordValue } from '../../../core/ipc/index.ts'
import type { MessageKey } from '../../app/i18n/index.ts'
import { parseTags } from './types.ts'

/** Messages are keys of texts; the form shows them in the reader's language. */
const key = (message: MessageKey) => ({ message })

export interface Point {
  at: number
  value: string
}

/** Reads "2026-01-31, 12.5" lines. A line that does not fit gives its number, counted from 1. */
export function parsePoints(text: string): { points: Point[] } | { badLine: number } {
  const points: Point[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const [, when, value] = /^\s*(.+?)\s*[,;\t，；]\s*(\S+)\s*$/.exec(line) ?? []
    const iso = when?.replace(/[/.](?=\d)/g, '-')
    const at =
      iso !== undefined && /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?Z?)?$/.test(iso)
        ? Date.parse(iso)
        : Number.NaN
    if (Number.isNaN(at) || at < 0 || value === undefined || !decimal.safeParse(value).success)
      return { badLine: index + 1 }
    points.push({ at, value })
  }
  points.sort((a, b) => a.at - b.at)
  return { points }
}

const common = {
  title: z.string().trim().min(1, key('data.form.title.missing')).max(200, key('data.form.title.long')),
  tags: z.string().max(1000),
}

export const formSchema = z
  .object({
    ...common,
    type: z.enum(['number', 'text', 'timeseries']),
    number: z.string().trim(),
    unit: z.string().trim().max(40, key('data.form.unit.long')),
    text: z.string().max(1_000_000, key('data.form.text.long')),
    points: z.string(),
  })
  .superRefine((form, context) => {
    const issue = (path: string, message: MessageKey, params?: Record<string, number>) =>
      context.addIssue({ code: 'custom', path: [path], message: JSON.stringify([message, params]) })
    if (form.type === 'number' && !decimal.safeParse(form.number).success)
      issue('number', /[,，]/.test(form.number) ? 'data.form.number.comma' : 'data.form.number.invalid')
    if (form.type === 'text' && form.text.trim() === '') issue('text', 'data.form.text.missing')
    if (form.type === 'timeseries') {
      const parsed = parsePoints(form.points)
      if ('badLine' in parsed) issue('points', 'data.form.points.line', { line: parsed.badLine })
      else if (parsed.points.length === 0) issue('points', 'data.form.points.missing')
      else if (parsed.points.length > MAX_CELLS) issue('points', 'data.form.points.many')
    }
  })

export type ValueForm = z.infer<typeof formSchema>

export const emptyForm: ValueForm = {
  title: '',
  tags: '',
  type: 'number',
  number: '',
  unit: '',
  text: '',
  points: '',
}

/** What the node takes; call it only with a form that the schema accepted. */
export function toValue(form: ValueForm): NewValue {
  const unit = form.unit === '' ? {} : { unit: form.unit }
  if (form.type === 'number') return { type: 'number', value: form.number, ...unit }
  if (form.type === 'text') return { type: 'text', value: form.text }
  const parsed = parsePoints(form.points)
  return { type: 'timeseries', points: 'points' in parsed ? parsed.points : [], ...unit }
}

/** The form for an existing value; undefined for tables and files, whose values are not typed in. */
export function toForm(title: string, tags: readonly string[], value: RecordValue): ValueForm | undefined {
  const form = { ...emptyForm, title, tags: tags.join(', ') }
  if (value.type === 'number') return { ...form, type: 'number', number: value.value, unit: value.unit ?? '' }
  if (value.type === 'text') return { ...form, type: 'text', text: value.value }
  if (value.type === 'timeseries')
    return {
      ...form,
      type: 'timeseries',
      unit: value.unit ?? '',
      points: value.points.map((p) => `${new Date(p.at).toISOString().slice(0, 19)}Z, ${p.value}`).join('\n'),
    }
  return undefined
}

export const tagsOf = (form: Pick<ValueForm, 'tags'>): string[] => parseTags(form.tags)
