import type * as z from 'zod'

/** What the owner must confirm on the host's side before the call takes effect. */
export type Authority = 'share' | 'approve' | 'declassify' | 'export' | 'spend' | 'revoke'

export interface Method<I extends z.ZodType, O extends z.ZodType> {
  readonly input: I
  readonly output: O
  readonly authority: Authority | undefined
}

export function method<I extends z.ZodType, O extends z.ZodType>(
  input: I,
  output: O,
  authority?: Authority,
): Method<I, O> {
  return { input, output, authority }
}
