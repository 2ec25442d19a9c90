import { EnigmaError } from '../base/errors.ts'
import { bn254Scalar as field } from '../field/fields.ts'
import { MAX_SECRETS } from './commitments.ts'
import { MAX_INDEX, type VerifiableShare } from './types.ts'

const MAGIC = 0x45565331 // 'EVS1'
const HEADER = 10
const ELEMENT = 32

/**
 * 'EVS1' ‖ index (2 bytes) ‖ number of secrets (4 bytes), big-endian, then the values and the masks as canonical
 * little-endian elements of 32 bytes. Secret: the caller wipes the bytes.
 */
export function encodeShare(share: VerifiableShare): Uint8Array {
  const length = share.values.length
  const out = new Uint8Array(HEADER + 2 * ELEMENT * length)
  const view = new DataView(out.buffer)
  view.setUint32(0, MAGIC)
  view.setUint16(4, share.index)
  view.setUint32(6, length)
  out.set(field.toBytes(share.values), HEADER)
  out.set(field.toBytes(share.masks), HEADER + ELEMENT * length)
  return out
}

/**
 * Strict inverse of `encodeShare`. Throws SHARE_INVALID on a wrong header or length, SHARE_INDEX on index 0,
 * FIELD_RANGE on an element that is not canonical.
 */
export function decodeShare(
  bytes: Uint8Array,
  expected: { index?: number; length?: number } = {},
): VerifiableShare {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER || view.getUint32(0) !== MAGIC)
    throw new EnigmaError('SHARE_INVALID', 'not an encoded share')
  const index = view.getUint16(4)
  const length = view.getUint32(6)
  if (index < 1 || index > MAX_INDEX) throw new EnigmaError('SHARE_INDEX', 'a share with index 0')
  if (length < 1 || length > MAX_SECRETS || bytes.length !== HEADER + 2 * ELEMENT * length)
    throw new EnigmaError('SHARE_INVALID', `a share of ${length} secrets in ${bytes.length} bytes`)
  if ((expected.index ?? index) !== index || (expected.length ?? length) !== length)
    throw new EnigmaError(
      'SHARE_INVALID',
      `the share of party ${index} of ${length} secrets is not the expected one`,
    )
  const middle = HEADER + ELEMENT * length
  const values = field.fromBytes(bytes.subarray(HEADER, middle))
  try {
    return { index, values, masks: field.fromBytes(bytes.subarray(middle)) }
  } catch (error) {
    values.free()
    throw error
  }
}
