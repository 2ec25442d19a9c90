import { fromHex, toHex } from '../../base/bytes.ts'
import { EnigmaError } from '../../base/errors.ts'
import type { Predicate as FormPredicate, PredicateInfo } from '../../ipc/index.ts'
import type { Hex } from '../../ledger/types.ts'
import { decodePredicate, encodePredicate, predicateId } from '../../predicates/codec.ts'
import { evaluatePredicate } from '../../predicates/evaluate.ts'
import { account, type Handlers, logActivity, type NodeContext } from '../context.ts'
import { fromChain, rolesOf, toChain } from '../predicate-form.ts'

interface PredicateJob {
  label: string
  encoding: Hex
}

interface StoredPredicate {
  [key: string]: string | number
  label: string
  encoding: string
  createdAt: number
}

const key = (id: string) => `predicate/${id}`
const STRANGER = `0x${'00'.repeat(19)}01` as Hex

/** The rule behind an id, from the ledger; undefined when nobody published it or the form has no words for it. */
export function ruleOf(context: NodeContext, id: string): FormPredicate | undefined {
  const encoding = context.index.predicates.get(id as Hex)
  if (encoding === undefined) return undefined
  try {
    return fromChain(decodePredicate(fromHex(encoding)))
  } catch {
    return undefined
  }
}

/** `ruleOf` for many references, of which many have the same rule. */
export function rulesOf(context: NodeContext): (id: string) => FormPredicate | undefined {
  const known = new Map<string, FormPredicate | undefined>()
  return (id) => {
    if (!known.has(id)) known.set(id, ruleOf(context, id))
    return known.get(id)
  }
}

/** Encodes a form; PREDICATE_INVALID names what is wrong. */
export function encodeForm(form: FormPredicate): { id: Hex; encoding: Uint8Array } {
  const encoding = encodePredicate(toChain(form))
  return { id: predicateId(encoding), encoding }
}

/** Publishes the rule if the ledger does not know it yet, and keeps its name in the vault. */
export async function publish(context: NodeContext, label: string, encoding: Uint8Array): Promise<Hex> {
  const id = predicateId(encoding)
  if ((await context.ledger.predicate(id)) === undefined)
    await context.ledger.publishPredicate(account(context), encoding)
  if ((await context.vault.getSetting(key(id))) === undefined) {
    const stored: StoredPredicate = { label, encoding: toHex(encoding), createdAt: context.clock.now() }
    await context.vault.putSetting(key(id), stored)
  }
  return id
}

export function predicateHandlers(context: NodeContext): Handlers {
  const { jobs, vault, events } = context

  jobs.register<PredicateJob>('predicate', async (job) => {
    job.commit()
    job.update('ledger', 0.3)
    const id = await publish(context, job.state.label, fromHex(job.state.encoding))
    await logActivity(context, 'predicate.published', { predicate: id, label: job.state.label })
    events.emit({ type: 'sharing' })
    return { predicate: id }
  })

  const view = async (id: string, uses: Map<string, number>): Promise<PredicateInfo | undefined> => {
    const stored = (await vault.getSetting(key(id))) as StoredPredicate | undefined
    if (stored === undefined) return undefined
    return {
      id,
      label: stored.label,
      predicate: fromChain(decodePredicate(fromHex(stored.encoding))),
      encoding: stored.encoding,
      state: context.index.predicates.has(id as Hex) ? 'published' : 'draft',
      createdAt: stored.createdAt,
      usedBy: uses.get(id) ?? 0,
    }
  }

  return {
    'predicate.list': async () => {
      const uses = new Map<string, number>()
      for (const record of await vault.list())
        for (const share of record.shares)
          if (share.revoked !== true && typeof share.predicateId === 'string')
            uses.set(share.predicateId, (uses.get(share.predicateId) ?? 0) + 1)
      const keys = await vault.settingKeys('predicate/')
      const all = await Promise.all(keys.map((k) => view(k.slice('predicate/'.length), uses)))
      return {
        predicates: all.filter((p) => p !== undefined).sort((a, b) => b.createdAt - a.createdAt),
      }
    },
    'predicate.publish': async ({ label, predicate }) => {
      account(context)
      const { encoding } = encodeForm(predicate)
      return { jobId: jobs.start<PredicateJob>('predicate', label, { label, encoding: toHex(encoding) }) }
    },
    'predicate.encode': async ({ predicate }) => {
      const { id, encoding } = encodeForm(predicate)
      return { id, encoding: toHex(encoding) }
    },
    'predicate.test': async ({ predicate, cases }) => {
      const chain = toChain(predicate)
      encodePredicate(chain)
      return {
        results: cases.map((test) => {
          const tested = test.account as Hex
          const outcome = evaluatePredicate(
            chain,
            {
              account: tested,
              owner: test.isOwner === true ? tested : STRANGER,
              identity: STRANGER,
              functionId: test.function as Hex,
              cohort: test.cohort,
              approved: test.approved,
              uses: test.uses,
              now: Math.floor(test.at / 1000),
            },
            (_, who) => (who === tested && test.role !== undefined ? rolesOf(test.role) : 0n),
          )
          return outcome.allowed ? { allowed: true } : { allowed: false, reason: outcome.reason }
        }),
      }
    },
  }
}

/** The rule a call names, by id or in full. INVALID_ARGUMENT when it names neither or an unknown one. */
export async function resolvePredicate(
  context: NodeContext,
  input: { predicateId?: string | undefined; predicate?: FormPredicate | undefined },
): Promise<{ id: Hex; encoding: Uint8Array }> {
  if (input.predicate !== undefined) return encodeForm(input.predicate)
  if (input.predicateId === undefined)
    throw new EnigmaError('INVALID_ARGUMENT', 'predicate: say who may use the data', {
      remedy: 'Choose a rule, or build one.',
    })
  const id = input.predicateId as Hex
  const encoding = await context.ledger.predicate(id)
  if (encoding === undefined)
    throw new EnigmaError('INVALID_ARGUMENT', `predicateId: ${id} is not on the ledger`, {
      remedy: 'Publish the rule first.',
    })
  return { id, encoding }
}
