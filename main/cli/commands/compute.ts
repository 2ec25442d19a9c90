import type { Command } from 'commander'
import { type ComputeProtocol, EnigmaError, type Input, type Output } from '../../../core/ipc/index.ts'
import type { NodeClient } from '../../host/client.ts'
import { idOf } from '../../job-id.ts'
import { finishComputation, finishJob } from '../jobs.ts'
import { fields, table } from '../output.ts'
import { collect, parseCount } from '../predicate.ts'
import { action, type Session } from '../session.ts'
import { readText } from './data.ts'
import { report } from './sharing.ts'

interface RequestOptions {
  function: string
  ref?: string[]
  refsFile?: string
  param?: string[]
  protocol?: string
  audit?: boolean
  committee?: number
  threshold?: number
  label?: string
  wait?: boolean
}

export function addComputeCommands(program: Command): void {
  const compute = program.command('compute').description('compute on shared data without seeing it')

  compute
    .command('functions')
    .description('list the functions that can be computed')
    .action(
      action(async (session) => {
        const { functions } = await (await session.connect()).call('compute.functions', {})
        session.out.result({ functions }, () =>
          table(
            ['id', 'code hash', 'parameters'],
            functions.map((f) => [f.id, f.codeHash, f.params.map((p) => p.name).join(', ')]),
          ),
        )
      }),
    )

  compute
    .command('references')
    .description('list shared data that a request could name')
    .option('--owner <account>')
    .option('--identity <address>')
    .option('--include-revoked')
    .action(
      action(async (session, options: Input<'compute.references'>) => {
        const { references } = await (await session.connect()).call('compute.references', options)
        session.out.result({ references }, () =>
          table(
            ['reference', 'owner', 'values', 'state'],
            references.map((r) => [r.ref, r.owner, String(r.length), r.state]),
          ),
        )
      }),
    )

  compute
    .command('request')
    .description('ask for a computation over references of one or many owners')
    .requiredOption('--function <name>', 'see `enigma compute functions`')
    .option('--ref <reference>', 'input (repeatable)', collect)
    .option('--refs-file <file>', 'inputs, one reference a line')
    .option('--param <name=value>', 'parameter of the function; JSON or text (repeatable)', collect)
    .option(
      '--protocol <name>',
      'honest-majority (default) or spdz: correct and private while one node is honest',
    )
    .option('--audit', 'with spdz: anybody can check the computation afterwards')
    .option('--committee <n>', 'nodes that compute', parseCount)
    .option('--threshold <t>', 'so many of them together learn nothing', parseCount)
    .option('--label <text>')
    .option('--wait', 'wait for approvals and the result, and print it')
    .action(
      action(async (session, options: RequestOptions) => {
        const client = await session.connect()
        const id = await request(session, client, options)
        if (!options.wait) {
          session.out.result({ id }, () => `requested ${id}`)
          return
        }
        await finishComputation(session, client, id)
        showResult(session, await client.call('compute.result', { id }))
      }),
    )

  compute
    .command('list')
    .description('list computations')
    .action(
      action(async (session) => {
        const { jobs } = await (await session.connect()).call('compute.list', {})
        session.out.result({ jobs }, () =>
          table(
            ['id', 'function', 'state', 'approvals', 'roles'],
            jobs.map((j) => [
              j.id,
              j.function,
              j.state,
              `${j.approvals.given}/${j.approvals.needed}`,
              j.roles.join(', '),
            ]),
          ),
        )
      }),
    )

  compute
    .command('status')
    .description('the state of a computation')
    .argument('<id>')
    .action(
      action(async (session, id: string) => {
        const { job } = await (await session.connect()).call('compute.get', { id })
        session.out.result({ job }, () =>
          fields({
            id,
            function: job.function,
            state: job.state,
            approvals: `${job.approvals.given} of ${job.approvals.needed}`,
            people: job.owners,
            references: job.references,
            reason: job.error?.message,
          }),
        )
      }),
    )

  compute
    .command('result')
    .description('the result of a computation that you requested')
    .argument('<id>')
    .option('--wait', 'wait until there is one')
    .action(
      action(async (session, id: string, options: { wait?: boolean }) => {
        const client = await session.connect()
        if (options.wait) await finishComputation(session, client, id)
        showResult(session, await client.call('compute.result', { id }))
      }),
    )

  compute
    .command('approvals')
    .description('list requests that wait for your decision')
    .action(
      action(async (session) => {
        const { approvals } = await (await session.connect()).call('approvals.list', {})
        session.out.result({ approvals }, () =>
          table(
            ['id', 'requester', 'function', 'people', 'state'],
            approvals.map((a) => [a.id, a.requester, a.function, String(a.owners), a.state]),
          ),
        )
      }),
    )

  for (const decision of ['approve', 'decline'] as const)
    compute
      .command(decision)
      .description(`${decision} a request for your data`)
      .argument('<id>')
      .option('--no-wait')
      .action(
        action(async (session, id: string, options: { wait: boolean }) => {
          const { jobId } = await (await session.connect()).call('approvals.decide', { id, decision })
          await report(session, jobId, options.wait)
        }),
      )

  compute
    .command('cancel')
    .description('cancel a computation that you requested')
    .argument('<id>')
    .action(
      action(async (session, id: string) => {
        const { jobId } = await (await session.connect()).call('compute.cancel', { id })
        await report(session, jobId, true)
      }),
    )
}

/** Resolves with the id on the ledger, once the request is there. */
async function request(session: Session, client: NodeClient, options: RequestOptions): Promise<string> {
  const refs = [...(options.ref ?? [])]
  if (options.refsFile !== undefined)
    refs.push(
      ...readText(options.refsFile)
        .split(/\s+/)
        .filter((line) => line !== ''),
    )
  if (refs.length === 0)
    throw new EnigmaError('INVALID_ARGUMENT', 'name the inputs with --ref or --refs-file')
  const { jobId } = await client.call('compute.request', {
    function: options.function as Input<'compute.request'>['function'],
    refs,
    ...(options.param === undefined ? {} : { params: Object.fromEntries(options.param.map(parseParam)) }),
    protocol: protocolOf(options),
    ...(options.committee === undefined ? {} : { n: options.committee }),
    ...(options.threshold === undefined ? {} : { t: options.threshold }),
    ...(options.label === undefined ? {} : { label: options.label }),
  })
  return idOf(await finishJob(session, client, jobId))
}

/** The protocol that `--protocol` and `--audit` name. Throws INVALID_ARGUMENT. */
export function protocolOf(options: { protocol?: string; audit?: boolean }): ComputeProtocol {
  const { protocol = 'honest-majority', audit = false } = options
  if (protocol === 'spdz') return audit ? 'spdz-audited' : 'spdz'
  if (protocol !== 'honest-majority')
    throw new EnigmaError('INVALID_ARGUMENT', `--protocol: ${protocol.slice(0, 40)} is not a protocol`, {
      remedy: 'Choose honest-majority or spdz.',
    })
  if (audit) throw new EnigmaError('INVALID_ARGUMENT', '--audit goes with --protocol spdz')
  return protocol
}

function parseParam(text: string): [string, unknown] {
  const at = text.indexOf('=')
  if (at < 1) throw new EnigmaError('INVALID_ARGUMENT', `parameter ${text.slice(0, 60)}: expected name=value`)
  const value = text.slice(at + 1)
  // Numbers stay text: parameters are exact decimals.
  if (!/^[[{"]/.test(value)) return [text.slice(0, at), value]
  try {
    return [text.slice(0, at), JSON.parse(value)]
  } catch {
    throw new EnigmaError('INVALID_ARGUMENT', `parameter ${text.slice(0, at)}: not JSON`)
  }
}

function showResult(session: Session, result: Output<'compute.result'>): void {
  const { values, edges } = result
  session.out.result(result, () =>
    edges === undefined
      ? values.join('\n')
      : table(
          ['range', 'count'],
          values.map((count, i) => [rangeOf(edges[i - 1], edges[i]), count]),
        ),
  )
}

/** The lower edge belongs to the range, the upper one does not. */
function rangeOf(from: string | undefined, to: string | undefined): string {
  if (from === undefined) return `below ${to}`
  return to === undefined ? `${from} and more` : `${from} to ${to}`
}
