/** Statistical security of what hides a factor in a reply, in bits, over all coefficients of one reply. */
export const STATISTICAL_BITS = 80
/** Knowledge soundness of the proofs, in bits. */
export const SOUNDNESS_BITS = 80
/** Largest magnitude of an error: centred binomial with parameter 21 (variance 10.5). */
export const ERROR_BOUND = 21
/** Bits by which the masks of a proof exceed what they hide; the rest is rejection. */
export const PROOF_SLACK_BITS = 24
