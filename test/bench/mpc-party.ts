/** One party of the multiplication bench, a process of its own; started by mpc.ts, speaks over process IPC. */
import { weighBuffersWithHeap } from '../../core/base/memory.ts'
import { randomBytes } from '../../core/base/random.ts'
import { bn254Scalar as field } from '../../core/field/fields.ts'
import type { FieldVector } from '../../core/field/types.ts'
import { joinCommittee } from '../../core/shamir-mpc/party.ts'
import type { DegreeReduction, ShamirParty } from '../../core/shamir-mpc/types.ts'
import { Libp2pTransport } from '../../core/transport/libp2p.ts'
import type { NodeId } from '../../core/transport/types.ts'

export interface Join {
  kind: 'join'
  ids: NodeId[]
  addresses: string[][]
  threshold: number
  degreeReduction?: DegreeReduction
  chunk?: number
}
/** `repeats` timed runs of `rounds` dependent multiplications of vectors of `batch`. */
export interface Measure {
  kind: 'measure'
  batch: number
  rounds: number
  repeats: number
}
export type Command = Join | Measure | { kind: 'stop' }
export type Answer =
  | { kind: 'ready'; id: NodeId; addresses: string[] }
  | { kind: 'joined' }
  | { kind: 'measured'; seconds: number[]; cpuSeconds: number; bytesSent: number }
  | { kind: 'failed'; message: string }

// As node processes do.
weighBuffersWithHeap()
const answer = (a: Answer) => process.send?.(a)
const transport = await Libp2pTransport.create(
  { privateKey: randomBytes(32) },
  { isAdmitted: async () => true },
)
let party: ShamirParty | undefined

async function join(command: Join): Promise<void> {
  command.ids.forEach((node, i) => {
    if (node !== transport.self) transport.addPeer(command.addresses[i]!, { node })
  })
  const session = await transport.openSession(
    'bench',
    command.ids.filter((id) => id !== transport.self),
  )
  party = await joinCommittee({
    field,
    session,
    committee: { parties: command.ids, threshold: command.threshold },
    ...(command.degreeReduction ? { degreeReduction: command.degreeReduction } : {}),
    ...(command.chunk ? { chunk: command.chunk } : {}),
  })
  answer({ kind: 'joined' })
}

async function measure(p: ShamirParty, { batch, rounds, repeats }: Measure): Promise<void> {
  const x = await p.input(0, p.index === 0 ? field.random(batch) : batch)
  const y = await p.input(0, p.index === 0 ? field.random(batch) : batch)
  await multiplyChain(p, x, y, Math.ceil(rounds / 4))
  const seconds: number[] = []
  const before = p.traffic().bytesSent
  const cpu = process.cpuUsage()
  for (let i = 0; i < repeats; i++) {
    const start = performance.now()
    const product = await multiplyChain(p, x, y, rounds)
    seconds.push((performance.now() - start) / 1000)
    if (i === 0) await verify(p, x, y, product, rounds)
    product.free()
  }
  const { user, system } = process.cpuUsage(cpu)
  x.free()
  y.free()
  const bytesSent = p.traffic().bytesSent - before
  answer({ kind: 'measured', seconds, cpuSeconds: (user + system) / 1e6, bytesSent })
}

/** x·y^rounds, each multiplication after the one before. */
async function multiplyChain(p: ShamirParty, x: FieldVector, y: FieldVector, rounds: number) {
  let value = field.slice(x, 0, x.length)
  for (let i = 0; i < rounds; i++) {
    const [next] = await p.multiply([{ op: 'mul', a: value, b: y }])
    value.free()
    value = next!
  }
  return value
}

/** A figure for a wrong product is none. */
async function verify(p: ShamirParty, x: FieldVector, y: FieldVector, product: FieldVector, rounds: number) {
  const some = Math.min(16, x.length)
  const tail = async (v: FieldVector) =>
    field.toBigints(await p.open(field.slice(v, v.length - some, v.length)))
  const [a, b, c] = [await tail(x), await tail(y), await tail(product)]
  a.forEach((value, i) => {
    let expected = value
    for (let k = 0; k < rounds; k++) expected = field.scalar.mul(expected, b[i]!)
    if (expected !== c[i]) throw new Error('the product is wrong')
  })
}

async function stop(): Promise<void> {
  await party?.close()
  await transport.stop()
  process.disconnect?.()
}

process.on('message', (message) => {
  const command = message as Command
  const run = async () => {
    if (command.kind === 'join') await join(command)
    else if (command.kind === 'measure') await measure(party!, command)
    else await stop()
  }
  run().catch((error: unknown) => answer({ kind: 'failed', message: String(error) }))
})
process.on('disconnect', () => process.exit())
answer({ kind: 'ready', id: transport.self, addresses: transport.addresses })
