import type { Input, MethodName, Output } from './contract.ts'

type Call = <M extends MethodName>(method: M, input: Input<M>) => Promise<Output<M>>

/** Bytes of a file in one call; three of them make four characters without padding. */
export const UPLOAD_BYTES = 3 * 256 * 1024

/** Sends a file, at most `UPLOAD_BYTES` in each piece of base64. Gives what other calls name as `upload`. */
export async function sendFile(
  call: Call,
  pieces: AsyncIterable<string> | Iterable<string>,
): Promise<string> {
  let upload: string | undefined
  for await (const content of pieces)
    upload = (await call('data.upload', { content, ...(upload === undefined ? {} : { upload }) })).upload
  return upload ?? (await call('data.upload', { content: '' })).upload
}

/** A record with all of its value, however long. */
export async function wholeRecord(call: Call, input: Input<'data.get'>): Promise<Output<'data.get'>> {
  const found = await call('data.get', input)
  const { value } = found
  if (value.type === 'table')
    for (let more = true; more && value.rows.length < value.total; ) {
      const { rows = [] } = await call('data.part', { ...input, from: value.rows.length })
      value.rows.push(...rows)
      more = rows.length > 0
    }
  if (value.type === 'timeseries')
    for (let more = true; more && value.points.length < value.total; ) {
      const { points = [] } = await call('data.part', { ...input, from: value.points.length })
      value.points.push(...points)
      more = points.length > 0
    }
  return found
}
