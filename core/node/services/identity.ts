import { fromHex, toHex } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import type { Identity } from '../../ipc/index.ts'
import type { Hex, IdentityMember } from '../../ledger/types.ts'
import { addressOf } from '../../wallet/signer.ts'
import { account, type Handlers, logActivity, type NodeContext } from '../context.ts'
import { ANY_MEMBER, answerInvitation, consentsFor, invitations, inviteMembers } from '../invitations.ts'
import { roleName, rolesOf } from '../predicate-form.ts'

interface IdentityJob {
  label: string
  members: { account: Hex; roles: string }[]
  address: Hex
}

const labelKey = (address: string) => `identity/label/${address}`

/** The address of the account's own pseudonym (n = 1), created on the ledger when it does not exist yet. */
export async function ensurePseudonym(context: NodeContext): Promise<Hex> {
  const me = account(context)
  const members: IdentityMember[] = [{ account: me.address, roles: rolesOf('owner') }]
  const address = context.ledger.identityAddress([me.address])
  if ((await context.ledger.identity(address)) === undefined)
    await context.ledger.createIdentity(me, members, ANY_MEMBER)
  return address
}

/** How the interface shows an identity; pending while a member's consent is missing. */
export async function describeIdentity(context: NodeContext, address: Hex): Promise<Identity> {
  const known = context.index.identities.get(address)
  const pending = invitations(context).find((i) => i.address === address)
  const members = known
    ? known.members.map((m, i) => ({ account: m, roles: known.roles[i] as bigint }))
    : pending?.members
  if (members === undefined) throw new EnigmaError('NOT_FOUND', `no identity ${address} on the ledger`)
  const unlocked = (await context.vault.status()).unlocked
  const label = unlocked ? await context.vault.getSetting(labelKey(address)) : undefined
  const labels = unlocked
    ? ((await context.vault.getSetting('contacts')) as Record<string, string> | undefined)
    : undefined
  const me = unlocked ? account(context).address : undefined
  return {
    address,
    label: typeof label === 'string' ? label : '',
    kind: members.length === 1 ? 'pseudonym' : 'shared',
    members: members.map((m) => ({
      account: m.account,
      role: roleName(m.roles),
      ...(labels?.[m.account] === undefined ? {} : { label: labels[m.account] as string }),
    })),
    state: known ? 'active' : 'pending',
    createdAt: known?.at ?? pending?.at ?? 0,
    mine: members.some((m) => m.account === me),
  }
}

export function identityHandlers(context: NodeContext): Handlers {
  const { ledger, jobs, vault, events } = context

  jobs.register<IdentityJob>('identity', async (job) => {
    const me = account(context)
    const { address, label } = job.state
    const members = job.state.members.map((m) => ({ account: m.account, roles: BigInt(m.roles) }))
    if (label !== '') await vault.putSetting(labelKey(address), label)
    if ((await ledger.identity(address)) === undefined) {
      let consents: Record<Hex, Hex> = {}
      if (members.length > 1) {
        job.update('consents', 0.2)
        await inviteMembers(context, members, ANY_MEMBER, job.signal)
        consents = await consentsFor(context, members, job.signal, (given) =>
          job.update('consents', 0.2 + (0.5 * given) / members.length),
        )
      }
      job.commit()
      job.update('ledger', 0.8)
      await ledger.createIdentity(me, members, ANY_MEMBER, consents)
    }
    await logActivity(context, 'identity.created', { identity: address, members: members.length })
    events.emit({ type: 'sharing' })
    return { identity: address }
  })

  return {
    'identity.list': async () => {
      const me = account(context).address
      const mine = [...context.index.identities].filter(([, i]) => i.members.includes(me)).map(([a]) => a)
      const pending = invitations(context).map((i) => i.address)
      const own = ledger.identityAddress([me])
      const all = [...new Set([...mine, ...pending])]
      const described = await Promise.all(all.map((address) => describeIdentity(context, address)))
      if (!mine.includes(own))
        described.unshift({
          address: own,
          label: '',
          kind: 'pseudonym',
          members: [{ account: me, publicKey: toHex(account(context).publicKey), role: 'owner' }],
          state: 'pending',
          createdAt: 0,
          mine: true,
        })
      return { identities: described }
    },
    'identity.get': async ({ address }) => ({ identity: await describeIdentity(context, address as Hex) }),
    'identity.create': async ({ label, members }) => {
      const me = account(context)
      const all = new Map<Hex, bigint>([[me.address, rolesOf('owner')]])
      const contacts = ((await vault.getSetting('contacts')) as Record<string, string> | undefined) ?? {}
      for (const member of members) {
        const memberAccount = addressOf(fromHex(member.publicKey, 33))
        if (memberAccount !== me.address && all.has(memberAccount))
          throw new EnigmaError('INVALID_ARGUMENT', `members: ${member.publicKey} is named twice`)
        all.set(memberAccount, memberAccount === me.address ? rolesOf('owner') : rolesOf(member.role))
        if (member.label !== undefined) contacts[memberAccount] = member.label
      }
      await vault.putSetting('contacts', contacts)
      const address = ledger.identityAddress([...all.keys()])
      const jobId = jobs.start<IdentityJob>('identity', label, {
        label,
        members: [...all].map(([a, roles]) => ({ account: a, roles: roles.toString() })),
        address,
      })
      return { jobId }
    },
    'identity.invitations': async () => ({
      invitations: invitations(context)
        .filter((i) => i.members.some((m) => m.account === account(context).address) && !i.answered)
        .map((i) => ({
          address: i.address,
          from: i.from,
          members: i.members.map((m) => ({ account: m.account, role: roleName(m.roles) })),
          at: i.at,
        })),
    }),
    'identity.join': ({ address, accept }, call) => answerInvitation(context, address as Hex, accept, call),
  }
}
