import { createHash } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { MAX_TRANSCRIPT_BYTES } from '../../audit/constants.ts'
import { concatBytes, fromHex, toHex, utf8 } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import { turn } from '../../base/turns.ts'
import { getManifest, getStream, putStream } from '../../dht/public-data.ts'
import type { Hash } from '../../dht/types.ts'
import type { Hex } from '../../ledger/types.ts'
import type { NodeContext } from '../context.ts'

const CHUNK = 1 << 19

/** L[node][H(…‖job)]: where the node that led a job put its transcript. */
function pointerKey(jobId: Hex): Hex {
  return toHex(keccak_256(concatBytes(utf8('enigma/audit/transcript/1'), fromHex(jobId, 32))))
}

/** Keeps a transcript as public data and says on the ledger where. */
export async function publishTranscript(
  context: NodeContext,
  jobId: Hex,
  encoded: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const { dht, ledger, nodeKey } = context
  const owner = {
    owner: nodeKey.address,
    signer: nodeKey.address,
    sign: async (digest: Uint8Array) => nodeKey.signDigest(digest),
  }
  const { key } = await putStream(dht.client, chunks(encoded), owner, {
    mediaType: 'application/cbor',
    signal,
  })
  await ledger.set(nodeKey, pointerKey(jobId), fromHex(key, 32), { signal })
}

/**
 * The transcript of a finished audited job, from the network, in shared memory; the ledger's digest decides whether it is the
 * right one. Throws NOT_FOUND, UNSUPPORTED for a job without one.
 */
export async function fetchTranscript(context: NodeContext, jobId: Hex): Promise<Uint8Array> {
  const { index, ledger, dht } = context
  await index.caughtUp()
  const job = index.jobs.get(jobId)
  if (job?.state !== 'done')
    throw new EnigmaError('NOT_FOUND', `id: ${jobId} is no finished computation on the ledger`)
  if (job.protocol !== 'spdz-audited')
    throw new EnigmaError('UNSUPPORTED', 'this computation was not made to be audited', {
      remedy: 'Request it with a public audit.',
    })
  for (const signer of job.signers) {
    const key = toHex(await ledger.get(signer, pointerKey(jobId), 'latest')) as Hash
    if (key.length !== 66) continue
    try {
      const manifest = await getManifest(dht.client, key)
      if (manifest.size > MAX_TRANSCRIPT_BYTES) continue
      const encoded = new Uint8Array(new SharedArrayBuffer(manifest.size))
      // `transcriptDigest`, of one part after the other.
      const digest = createHash('sha256')
      let at = 0
      for await (const part of getStream(dht.client, manifest)) {
        await turn()
        encoded.set(part, at)
        digest.update(part)
        at += part.length
      }
      if (toHex(digest.digest()) === job.transcriptDigest) return encoded
    } catch (error) {
      context.log.info('a transcript could not be loaded', { code: EnigmaError.from(error).code })
    }
  }
  throw new EnigmaError('NOT_FOUND', 'nobody has the transcript of this computation now', {
    remedy: 'Try again when the nodes that computed it are back.',
  })
}

async function* chunks(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK)
}
