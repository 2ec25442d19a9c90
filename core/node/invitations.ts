import { keccak_256 } from '@noble/hashes/sha3.js'
import { decode, encode } from 'cborg'
import { concatBytes, fromHex, toHex, utf8 } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { minute } from '../base/units.ts'
import type { CallContext } from '../ipc/index.ts'
import type { Hex, IdentityMember } from '../ledger/types.ts'
import { account, confirmed, logActivity, type NodeContext } from './context.ts'
import { roleName } from './predicate-form.ts'

/** q_store of an identity that any member may store under. */
export const ANY_MEMBER: Hex = `0x${'00'.repeat(32)}`

const POLL_MS = 1000
/** How long the one who invites waits for the last consent. */
const CONSENT_WINDOW_MS = 24 * 60 * minute
const MAX_MEMBERS = 64

export interface Invitation {
  address: Hex
  from: Hex
  members: IdentityMember[]
  at: number
  answered: boolean
}

/*
 * Alg. 1 has every member sign. Members meet on the bulletin board: whoever starts writes the proposal to
 * L[H("enigma/invite" ‖ addr_P)], each member answers in L[H("enigma/consent" ‖ addr_P)] with its signature, or
 * with an empty list to decline. Both are public facts already: the access list goes on the ledger.
 */
const inviteKey = (identity: Hex) =>
  toHex(keccak_256(concatBytes(utf8('enigma/invite'), fromHex(identity, 20))))
const consentKey = (identity: Hex) =>
  toHex(keccak_256(concatBytes(utf8('enigma/consent'), fromHex(identity, 20))))

function parseProposal(
  context: NodeContext,
  writer: Hex,
  key: Hex,
  value: Hex,
): IdentityMember[] | undefined {
  try {
    const list = decode(fromHex(value)) as [Uint8Array, bigint | number][]
    if (!Array.isArray(list) || list.length < 2 || list.length > MAX_MEMBERS) return undefined
    const members = list.map(([bytes, roles]) => {
      if (!(bytes instanceof Uint8Array) || bytes.length !== 20) throw new Error('not an account')
      return { account: toHex(bytes), roles: BigInt(roles) }
    })
    if (!members.some((m) => m.account === writer)) return undefined
    return inviteKey(context.ledger.identityAddress(members.map((m) => m.account))) === key
      ? members
      : undefined
  } catch {
    return undefined
  }
}

/** Proposals on the ledger that have not become identities. Values of strangers that are no proposals are skipped. */
export function invitations(context: NodeContext): Invitation[] {
  const found: Invitation[] = []
  const me = account(context).address
  for (const [id, { value, at }] of context.index.values) {
    const [writer, key] = id.split(':') as [Hex, Hex]
    const members = parseProposal(context, writer, key, value)
    if (members === undefined || !members.some((m) => m.account === me)) continue
    const address = context.ledger.identityAddress(members.map((m) => m.account))
    if (context.index.identities.has(address)) continue
    const answered = me === writer || context.index.values.has(`${me}:${consentKey(address)}`)
    found.push({ address, from: writer, members, at, answered })
  }
  return found
}

/** Writes the proposal, once. */
export async function inviteMembers(
  context: NodeContext,
  members: IdentityMember[],
  storePredicate: Hex,
  signal: AbortSignal,
): Promise<void> {
  if (storePredicate !== ANY_MEMBER)
    throw new EnigmaError('UNSUPPORTED', 'a store predicate in an invitation')
  const address = context.ledger.identityAddress(members.map((m) => m.account))
  const value = encode(members.map((m) => [fromHex(m.account, 20), m.roles]))
  const me = account(context)
  if (context.index.values.get(`${me.address}:${inviteKey(address)}`)?.value === toHex(value)) return
  await context.ledger.set(me, inviteKey(address), value, { signal })
}

/** Waits until every other member has consented. PERMISSION_DENIED when one declines, TIMEOUT after a day. */
export async function consentsFor(
  context: NodeContext,
  members: IdentityMember[],
  signal: AbortSignal,
  onProgress: (given: number) => void,
): Promise<Record<Hex, Hex>> {
  const me = account(context).address
  const address = context.ledger.identityAddress(members.map((m) => m.account))
  const others = members.filter((m) => m.account !== me)
  const until = context.clock.now() + CONSENT_WINDOW_MS
  let reported = -1
  for (;;) {
    const consents: Record<Hex, Hex> = {}
    for (const { account: member } of others) {
      const value = context.index.values.get(`${member}:${consentKey(address)}`)?.value
      if (value === '0x')
        throw new EnigmaError('PERMISSION_DENIED', `${member} declined to join the shared identity`)
      if (value !== undefined && value.length === 2 + 130) consents[member] = value
    }
    const given = Object.keys(consents).length
    if (given === others.length) return consents
    if (given !== reported) onProgress(given)
    reported = given
    if (context.clock.now() > until)
      throw new EnigmaError('TIMEOUT', 'not every member consented within a day', {
        remedy: 'Create the identity again without the members that did not answer.',
      })
    await context.clock.sleep(POLL_MS, signal)
  }
}

/** A member's answer, confirmed by the owner on the host's side. */
export async function answerInvitation(
  context: NodeContext,
  address: Hex,
  accept: boolean,
  call: CallContext,
): Promise<Record<string, never>> {
  const invitation = invitations(context).find((i) => i.address === address)
  if (invitation === undefined) throw new EnigmaError('NOT_FOUND', `no invitation to ${address}`)
  const me = account(context)
  const role = roleName(invitation.members.find((m) => m.account === me.address)?.roles ?? 0n)
  await confirmed(call, {
    kind: 'approve',
    method: 'identity.join',
    facts: {
      identity: address,
      from: invitation.from,
      role,
      members: String(invitation.members.length),
      decision: accept ? 'approve' : 'decline',
    },
  })
  const consent = accept
    ? fromHex(await context.ledger.signIdentity(me, invitation.members, ANY_MEMBER, 0), 65)
    : new Uint8Array()
  await context.ledger.set(me, consentKey(address), consent)
  await logActivity(context, accept ? 'identity.joined' : 'identity.declined', { identity: address })
  context.events.emit({ type: 'sharing' })
  return {}
}
