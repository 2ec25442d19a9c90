import type { Command } from 'commander'
import { EnigmaError, type Input, type Predicate, role } from '../../../core/ipc/index.ts'
import { finishJob } from '../jobs.ts'
import { fields, table } from '../output.ts'
import { buildPredicate, collect, type PredicateOptions, parseCount, withPredicate } from '../predicate.ts'
import { action, type Session } from '../session.ts'
import { readText } from './data.ts'

interface WaitOptions {
  wait: boolean
}
interface ShareOptions extends PredicateOptions, WaitOptions {
  column?: string
  identity?: string
  predicateId?: string
  holders?: number
  threshold?: number
}

/** Waits for the job unless told not to, and prints it. */
export async function report(session: Session, jobId: string, wait: boolean): Promise<void> {
  if (!wait) {
    session.out.result({ jobId }, () => `started ${jobId}`)
    return
  }
  const job = await finishJob(session, await session.connect(), jobId)
  session.out.result({ jobId, state: job.state, ...job.result }, () =>
    fields({ job: jobId, state: job.state, ...job.result }),
  )
}

export function addSharingCommands(program: Command): void {
  withPredicate(
    program
      .command('share')
      .description('secret-share a record among holders, under a rule (by default: only you may use it)')
      .argument('<record>', 'id of the record')
      .option('--column <name>', 'the column of a table')
      .option('--identity <address>', 'the identity that owns it; by default your own account')
      .option('--holders <n>', 'number of shares', parseCount)
      .option('--threshold <t>', 'so many shares reveal nothing', parseCount)
      .option('--predicate-id <id>', 'a published rule')
      .option('--no-wait', 'print the id of the job and do not wait for it'),
  ).action(
    action(async (session, recordId: string, options: ShareOptions) => {
      const client = await session.connect()
      const rule: Predicate | undefined = await buildPredicate(options, client)
      if (rule !== undefined && options.predicateId !== undefined)
        throw new EnigmaError('INVALID_ARGUMENT', 'give a rule or --predicate-id, not both')
      const { jobId } = await client.call('share.create', {
        recordId,
        ...(options.column === undefined ? {} : { column: options.column }),
        ...(options.identity === undefined ? {} : { identity: options.identity.toLowerCase() }),
        ...(options.holders === undefined ? {} : { n: options.holders }),
        ...(options.threshold === undefined ? {} : { t: options.threshold }),
        ...(options.predicateId === undefined
          ? { predicate: rule ?? { kind: 'owner' as const } }
          : { predicateId: options.predicateId }),
      })
      await report(session, jobId, options.wait)
    }),
  )

  const access = program.command('access').description('who may use what')
  access
    .command('list')
    .description('list what is shared, under which rule')
    .action(
      action(async (session) => {
        const { grants } = await (await session.connect()).call('access.list', {})
        session.out.result({ grants }, () =>
          table(
            ['reference', 'title', 'state', 'uses left', 'expires'],
            grants.map((g) => [
              g.ref,
              g.title,
              g.state,
              g.usesLeft === undefined ? '' : String(g.usesLeft),
              g.expiresAt === undefined ? '' : new Date(g.expiresAt).toISOString(),
            ]),
          ),
        )
      }),
    )
  access
    .command('revoke')
    .description('stop future computations on a reference; released results cannot be recalled')
    .argument('<ref>')
    .option('--no-wait')
    .action(
      action(async (session, ref: string, options: WaitOptions) => {
        const { jobId } = await (await session.connect()).call('access.revoke', { ref })
        await report(session, jobId, options.wait)
      }),
    )

  program
    .command('declassify')
    .description('put the shares of a reference of yours together again and show the values')
    .argument('<ref>')
    .action(
      action(async (session, ref: string) => {
        const client = await session.connect()
        const { jobId } = await client.call('declassify.start', { ref })
        await finishJob(session, client, jobId)
        const result = await client.call('declassify.result', { jobId })
        if (result.badHolders.length > 0)
          session.out.note(`Holders with wrong shares: ${result.badHolders.join(', ')}`)
        session.out.result(result, () => result.values.join('\n'))
      }),
    )
}

export function addIdentityCommands(program: Command): void {
  const identity = program.command('identity').description('identities that own data, alone or shared')
  identity
    .command('create')
    .description('create an identity')
    .argument('<label>')
    .option(
      '--member <key:role[:label]>',
      `public key and role (${role.options.join(', ')}) (repeatable)`,
      collect,
    )
    .option('--no-wait')
    .action(
      action(async (session, label: string, options: WaitOptions & { member?: string[] }) => {
        const members = (options.member ?? []).map(parseMember)
        const { jobId } = await (await session.connect()).call('identity.create', { label, members })
        await report(session, jobId, options.wait)
      }),
    )
  identity
    .command('list')
    .description('list identities')
    .action(
      action(async (session) => {
        const { identities } = await (await session.connect()).call('identity.list', {})
        session.out.result({ identities }, () =>
          table(
            ['address', 'label', 'kind', 'state', 'members'],
            identities.map((i) => [i.address, i.label, i.kind, i.state, String(i.members.length)]),
          ),
        )
      }),
    )
  identity
    .command('show')
    .description('show an identity with its members')
    .argument('<address>')
    .action(
      action(async (session, address: string) => {
        const client = await session.connect()
        const result = await client.call('identity.get', { address: address.toLowerCase() })
        session.out.result(result, () => {
          const { label, kind, state, members } = result.identity
          const rows = members.map((m) => [m.account, m.role, m.label ?? ''])
          return `${fields({ address, label, kind, state })}\n${table(['account', 'role', 'label'], rows)}`
        })
      }),
    )
}

export function addPredicateCommands(program: Command): void {
  const rules = program.command('predicate').description('rules that say who may compute what')
  withPredicate(
    rules.command('publish').description('put a rule on the ledger').argument('<label>').option('--no-wait'),
  ).action(
    action(async (session, label: string, options: PredicateOptions & WaitOptions) => {
      const client = await session.connect()
      const { jobId } = await client.call('predicate.publish', {
        label,
        predicate: required(await buildPredicate(options, client)),
      })
      await report(session, jobId, options.wait)
    }),
  )
  rules
    .command('list')
    .description('list rules')
    .action(
      action(async (session) => {
        const { predicates } = await (await session.connect()).call('predicate.list', {})
        session.out.result({ predicates }, () =>
          table(
            ['id', 'label', 'state', 'used by'],
            predicates.map((p) => [p.id, p.label, p.state, String(p.usedBy)]),
          ),
        )
      }),
    )
  withPredicate(
    rules
      .command('test')
      .description('evaluate a rule with the code that holders run')
      .requiredOption(
        '--cases <file>',
        'JSON array of cases: {account, function, cohort, approved, uses, at}',
      ),
  ).action(
    action(async (session, options: PredicateOptions & { cases: string }) => {
      const client = await session.connect()
      const rule = required(await buildPredicate(options, client))
      const { results } = await client.call('predicate.test', {
        predicate: rule,
        cases: parseCases(options.cases),
      })
      session.out.result({ results }, () =>
        table(
          ['case', 'allowed', 'reason'],
          results.map((r, i) => [String(i + 1), r.allowed ? 'yes' : 'no', r.reason ?? '']),
        ),
      )
    }),
  )
}

function required(rule: Predicate | undefined): Predicate {
  if (rule === undefined)
    throw new EnigmaError('INVALID_ARGUMENT', 'no rule given', {
      remedy: 'Give --predicate, or flags such as --min-cohort 5 --approval.',
    })
  return rule
}

function parseMember(text: string): Input<'identity.create'>['members'][number] {
  const [publicKey = '', name = '', ...label] = text.split(':')
  const parsed = role.safeParse(name)
  if (!parsed.success || publicKey === '')
    throw new EnigmaError(
      'INVALID_ARGUMENT',
      `member ${text.slice(0, 100)}: expected key:role or key:role:label`,
    )
  return { publicKey, role: parsed.data, ...(label.length === 0 ? {} : { label: label.join(':') }) }
}

function parseCases(file: string): Input<'predicate.test'>['cases'] {
  try {
    return JSON.parse(readText(file)) as Input<'predicate.test'>['cases']
  } catch (error) {
    if (error instanceof EnigmaError) throw error
    throw new EnigmaError('INVALID_ARGUMENT', `${file} is not JSON`)
  }
}
