import { z } from 'zod'
import { isNodeId } from '../transport/node-id.ts'
import type { NodeId } from '../transport/types.ts'
import {
  MAX_CIPHERTEXT_BYTES,
  MAX_COMMITMENT_BYTES,
  MAX_HOLDERS,
  MAX_LENGTH,
  MAX_PUBLIC_BYTES,
} from './constants.ts'
import type { Address, Authorization, DataRecord, Hash, Placement, Receipt, ReleaseRequest } from './types.ts'

const HASH = /^0x[0-9a-f]{64}$/
const ADDRESS = /^0x[0-9a-f]{40}$/

export const hashSchema = z.custom<Hash>((v) => typeof v === 'string' && HASH.test(v))
export const addressSchema = z.custom<Address>((v) => typeof v === 'string' && ADDRESS.test(v))
export const nodeSchema = z.custom<NodeId>(isNodeId)
export const kindSchema = z.enum(['share', 'encrypted', 'public'])

const bytes = (min: number, max: number) =>
  z.custom<Uint8Array>((v) => v instanceof Uint8Array && v.length >= min && v.length <= max)
const time = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const index = z.number().int().min(0).max(MAX_HOLDERS)
const signature = bytes(1, 4096)

const shareSchema = z
  .strictObject({
    kind: z.literal('share'),
    key: hashSchema,
    index: z.number().int().min(1).max(MAX_HOLDERS),
    owner: addressSchema,
    n: z.number().int().min(1).max(MAX_HOLDERS),
    t: z
      .number()
      .int()
      .min(0)
      .max(MAX_HOLDERS - 1),
    length: z.number().int().min(1).max(MAX_LENGTH),
    values: bytes(32, 32 * MAX_LENGTH),
    masks: bytes(32, 32 * MAX_LENGTH),
    commitments: bytes(0, MAX_COMMITMENT_BYTES),
  })
  .refine((r) => r.index <= r.n && r.t < r.n)
  .refine((r) => r.values.length === 32 * r.length && r.masks.length === 32 * r.length)

export const recordSchema: z.ZodType<DataRecord> = z.union([
  shareSchema,
  z.strictObject({
    kind: z.literal('encrypted'),
    key: hashSchema,
    owner: addressSchema,
    ciphertext: bytes(1, MAX_CIPHERTEXT_BYTES),
  }),
  z.strictObject({
    kind: z.literal('public'),
    key: hashSchema,
    owner: addressSchema,
    data: bytes(1, MAX_PUBLIC_BYTES),
  }),
])

export const placementsSchema: z.ZodType<Placement[]> = z
  .array(z.strictObject({ index, holder: nodeSchema }))
  .max(MAX_HOLDERS)
  .refine((list) => new Set(list.map((p) => p.holder)).size === list.length)

export const authorizationSchema: z.ZodType<Authorization> = z.strictObject({
  action: z.enum(['put', 'commit', 'abort', 'delete']),
  kind: kindSchema,
  key: hashSchema,
  content: hashSchema,
  owner: addressSchema,
  signer: addressSchema,
  time,
  signature,
})

export const releaseSchema: z.ZodType<ReleaseRequest> = z.strictObject({
  kind: kindSchema,
  key: hashSchema,
  requester: addressSchema,
  holder: nodeSchema,
  via: nodeSchema,
  purpose: z.string().min(1).max(128),
  time,
  nonce: hashSchema,
  signature,
})

export const receiptSchema: z.ZodType<Receipt> = z.strictObject({
  kind: kindSchema,
  key: hashSchema,
  index,
  digest: hashSchema,
  owner: addressSchema,
  state: z.enum(['pending', 'active']),
  holder: nodeSchema,
  time,
  signature: bytes(65, 65),
})

export const putSchema = z.strictObject({ record: recordSchema, authorization: authorizationSchema })
export const commitSchema = z.strictObject({
  authorization: authorizationSchema,
  placements: placementsSchema,
})
export const replicateSchema = z.strictObject({
  record: recordSchema,
  authorization: authorizationSchema,
  placements: placementsSchema,
})
export const getSchema = z.strictObject({
  request: releaseSchema.nullable(),
  kind: kindSchema,
  key: hashSchema,
  /** Shares without the commitments, which are the same everywhere and large. */
  brief: z.boolean(),
})
export const locateSchema = z.strictObject({ kind: kindSchema, key: hashSchema })
export const checkSchema = z.strictObject({
  records: z
    .array(z.strictObject({ kind: kindSchema, key: hashSchema, index }))
    .min(1)
    .max(256),
})
/** Per record: the index held, −1 for none, −2 for "your share has been given to another holder". */
export const checkAnswerSchema = z.array(z.number().int().min(-2).max(MAX_HOLDERS)).max(256)
export const movedSchema = z.strictObject({ receipt: receiptSchema, replaced: nodeSchema.nullable() })
export const doneSchema = z.boolean()
