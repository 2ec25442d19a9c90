import { describe, expect, it } from 'vitest'
import { toHex } from '../../../core/base/bytes.ts'
import type { Hex } from '../../../core/ledger/types.ts'
import type { Message } from '../../../core/node/compute/messages.ts'
import { agreeOnPieces, pieceDigest, requireSignedPiece } from '../../../core/node/compute/pieces.ts'
import { PartyChannel } from '../../../core/preprocessing/channel.ts'
import { digestCommitments } from '../../../core/sharing/commitments.ts'
import { LocalSigner } from '../../../core/wallet/signer.ts'
import { nodeId, sessions } from '../preprocessing/committee.ts'

const N = 3
const word = (i: number): Hex => toHex(new Uint8Array(32).fill(i))
const deployment = {
  chainId: 31337,
  addresses: { jobs: nodeId(90), evidence: nodeId(91) },
} as unknown as Parameters<typeof pieceDigest>[0]
const holders = [1, 2]
  .map((i) => new LocalSigner(new Uint8Array(32).fill(i)))
  .sort((a, b) => (a.address < b.address ? -1 : 1))
/** Member 1 leads. */
const attempt = { jobId: word(7), attempt: 2, coordinator: nodeId(1) }

type Received = Message<'received'>
type Piece = Received['pieces'][number]

function piece(holder: LocalSigner, commitments: Hex, named = attempt): Piece {
  const signature = holder.signDigest(pieceDigest(deployment, named, commitments))
  return { holder: holder.address, commitments, signature }
}
const honest = (): Received => ({
  plan: word(8),
  pieces: [piece(holders[0]!, word(10)), piece(holders[1]!, word(11))],
})

/** How it ends at each member, of whom one, if any, has something else than the rest. */
async function agree(odd?: { member: number; received: Partial<Received> }) {
  const opened = await sessions(N)
  const ends = await Promise.all(
    opened.sessions.map((session, index) => {
      const channel = new PartyChannel({ session, parties: opened.parties, index, timeoutMs: 2000 })
      const own = odd?.member === index ? { ...honest(), ...odd.received } : honest()
      return agreeOnPieces(channel, own, attempt, deployment).catch((error: unknown) => error)
    }),
  )
  await Promise.all(opened.sessions.map((session) => session.close()))
  return ends
}

describe('what members have received of the holders', () => {
  it('is the same', async () => {
    expect(await agree()).toEqual([undefined, undefined, undefined])
  })

  it.each([0, 1, 2])(
    'shows a holder that signed two pieces, not member %i that it gave the other',
    async (m) => {
      const pieces = [piece(holders[0]!, word(10)), piece(holders[1]!, word(77))]
      for (const error of await agree({ member: m, received: { pieces } }))
        expect(error).toMatchObject({ code: 'SHARE_INVALID', details: { holder: holders[1]!.address } })
    },
  )

  it.each([
    ['of another attempt', () => piece(holders[1]!, word(77), { ...attempt, attempt: 1 })],
    ['of another leader', () => piece(holders[1]!, word(77), { ...attempt, coordinator: nodeId(0) })],
    ['of another job', () => piece(holders[1]!, word(77), { ...attempt, jobId: word(9) })],
    ['that nobody signed', () => ({ ...piece(holders[1]!, word(77)), signature: new Uint8Array(65) })],
    ['that another signed', () => ({ ...piece(holders[0]!, word(77)), holder: holders[1]!.address })],
  ])('accuses who shows a piece %s', async (_, shown) => {
    const received = { pieces: [piece(holders[0]!, word(10)), shown()] }
    const [a, b] = await agree({ member: 2, received })
    for (const error of [a, b])
      expect(error).toMatchObject({ code: 'MPC_ABORTED', details: { index: 2, reason: 'BAD_SIGNATURE' } })
  })

  it('accuses who shows pieces of other holders than its plan names', async () => {
    const [a, b] = await agree({ member: 2, received: { pieces: [piece(holders[1]!, word(11))] } })
    for (const error of [a, b])
      expect(error).toMatchObject({ code: 'MPC_ABORTED', details: { index: 2, reason: 'MALFORMED' } })
  })

  it('names nobody when plans differ, but to the leader, who has sent one', async () => {
    const [other, leader] = await agree({ member: 2, received: { plan: word(9) } })
    expect(leader).toMatchObject({ code: 'MPC_ABORTED', details: { index: 2, reason: 'DIFFERENT_PROGRAM' } })
    expect(other).toMatchObject({ code: 'MPC_ABORTED', details: { reason: 'ECHO' } })
    expect(other).not.toHaveProperty('details.party')
  })
})

it('a piece is taken only with its holder’s signature', () => {
  const [holder, other] = holders as [LocalSigner, LocalSigner]
  const commitments = new Uint8Array([1, 2, 3])
  const digest = pieceDigest(deployment, attempt, toHex(digestCommitments(commitments)))
  const given = { ...attempt, commitments, signature: holder.signDigest(digest) }
  requireSignedPiece(deployment, holder.address, given)
  const refused = expect.objectContaining({ code: 'SHARE_INVALID' })
  expect(() => requireSignedPiece(deployment, other.address, given)).toThrow(refused)
  for (const change of [{ attempt: 3 }, { jobId: word(1) }, { commitments: new Uint8Array([1, 2]) }])
    expect(() => requireSignedPiece(deployment, holder.address, { ...given, ...change })).toThrow(refused)
  const elsewhere = { ...deployment, chainId: 1 }
  expect(() => requireSignedPiece(elsewhere, holder.address, given)).toThrow(refused)
})
