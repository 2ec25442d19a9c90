/** Limits on programs. They bound the memory and time that a request from a stranger can cost a committee. */

/** Values a built-in function works on in all. */
export const MAX_VALUES = 100_000
/** References (input slots) of one program. */
export const MAX_SLOTS = 10_000
export const MAX_NODES = 1 << 16
/** Elements of one vector. */
export const MAX_LENGTH = 1 << 20
/** Elements of all vectors together. */
export const MAX_ELEMENTS = 1 << 25
/** Bytes of an encoded program. */
export const MAX_CODE_BYTES = 4 << 20
/** Bits of the magnitude of a constant or factor. */
export const MAX_CONSTANT_BITS = 256
/** Bits of a public value that a program can take apart. */
export const MAX_DIGITS = 254
/** Rounds of products alone after which a run that can be taken up again has them checked, for the sake of a checkpoint. */
export const CHECKPOINT_ROUNDS = 16
/** Depth in products and openings. */
export const MAX_ROUNDS = 1024

/** Decimal places of the fixed-point encoding, and its scale. */
export const FIXED_PLACES = 6
export const FIXED_SCALE = 10n ** 6n
/** Scaled magnitudes stay below 2^63, so that sums of 2^17 products of two of them stay far below the field. */
export const FIXED_LIMIT = 1n << 63n
/** Decimal places of a printed result. */
export const RESULT_PLACES = 12
