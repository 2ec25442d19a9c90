import { MAX_FRAME_BYTES } from './constants.ts'

const NEWLINE = 0x0a

export type Decoded = { readonly value: unknown } | { readonly problem: 'too-large' | 'not-json' }

/** One frame as a line of JSON (JSON never contains a raw newline). */
export function encodeFrame(frame: unknown): string {
  return `${JSON.stringify(frame)}\n`
}

/**
 * Cuts a byte stream into JSON lines of at most `limit` bytes. After a problem the stream has lost its place:
 * the caller closes it.
 */
export class LineDecoder {
  readonly #limit: number
  #parts: Buffer[] = []
  #length = 0

  constructor(limit: number = MAX_FRAME_BYTES) {
    this.#limit = limit
  }

  *push(chunk: Buffer): Generator<Decoded> {
    let rest = chunk
    for (let at = rest.indexOf(NEWLINE); at !== -1; at = rest.indexOf(NEWLINE)) {
      const line = this.#take(rest.subarray(0, at))
      rest = rest.subarray(at + 1)
      if (line === undefined) {
        yield { problem: 'too-large' }
        return
      }
      if (line.length > 0) yield parse(line)
    }
    if (rest.length === 0) return
    this.#parts.push(rest)
    this.#length += rest.length
    if (this.#length > this.#limit) {
      this.#reset()
      yield { problem: 'too-large' }
    }
  }

  #take(end: Buffer): Buffer | undefined {
    const length = this.#length + end.length
    const line = this.#parts.length === 0 ? end : Buffer.concat([...this.#parts, end])
    this.#reset()
    return length > this.#limit ? undefined : line
  }

  #reset(): void {
    this.#parts = []
    this.#length = 0
  }
}

function parse(line: Buffer): Decoded {
  try {
    return { value: JSON.parse(line.toString('utf8')) as unknown }
  } catch {
    return { problem: 'not-json' }
  }
}
