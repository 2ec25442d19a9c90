import { createHash } from 'node:crypto'
import { systemClock } from '../base/clock.ts'
import { EnigmaError, hasCode } from '../base/errors.ts'
import { programDigest } from '../circuits/functions.ts'
import { freeCheckpoint, runCircuit } from '../circuits/run.ts'
import type { BuiltProgram, Checkpoint, RunProgress } from '../circuits/types.ts'
import type { FieldVector, PrimeField } from '../field/types.ts'
import { freeAuth } from '../preprocessing/auth.ts'
import { isCut, PartyChannel, STEP } from '../preprocessing/channel.ts'
import type { Amounts, AuthShare, MaterialSource } from '../preprocessing/types.ts'
import type { NodeId, Session } from '../transport/types.ts'
import { RESUME_PAUSES_MS } from './constants.ts'
import { materialAfter, materialFor, spdzEngine } from './engine.ts'
import { authenticate, type CommittedInput } from './input.ts'
import { outputShares } from './output.ts'
import { internals, joinSpdz } from './party.ts'

export interface ResumableOptions {
  readonly field: PrimeField
  /** In party order, and this party's place. */
  readonly parties: readonly NodeId[]
  readonly index: number
  readonly program: BuiltProgram
  /** Of all slots, in order. */
  readonly inputs: CommittedInput
  /** What the committee agreed on before. */
  readonly context: Uint8Array
  /** Sessions and material of a try are named alike at all parties, and no name is used twice. */
  openSession(name: string): Promise<Session>
  /** Material that no other try has had, of the committee's present epoch. */
  prepare(name: string, amounts: Amounts): Promise<MaterialSource>
  readonly roundTimeoutMs: number
  readonly signal: AbortSignal
  /** Before each try to take a run up again (default RESUME_PAUSES_MS). */
  readonly pausesMs?: readonly number[]
  readonly onInputs?: () => void
  readonly onProgress?: (progress: RunProgress) => void
  /** A try begins: from a checkpoint of this layer, or from the inputs. */
  readonly onResume?: (layer: number | undefined) => void
}

/** In place of a checkpoint's digest. */
const NONE = new Uint8Array(32)

/**
 * One party's side of a program under SPDZ, from committed inputs to this party's part of the result (see `outputShares`). When
 * connections are lost, the parties meet again: with the same checkpoint and epoch they go on from there, otherwise from the
 * inputs. Each try has material of its own, and what a checkpoint needs lies in memory only. Nothing is taken up after an abort that is
 * more than a lost connection, and no checkpoint after a MAC check that did not end. Codes: those of `SpdzParty`; where nobody comes back,
 * the error of the try that got furthest.
 */
export async function runResumable(options: ResumableOptions): Promise<FieldVector> {
  const run = new ResumableRun(options)
  const { signal, pausesMs = RESUME_PAUSES_MS } = options
  let reported: unknown
  try {
    for (let number = 0; ; number++) {
      try {
        return await run.try(number)
      } catch (error) {
        if (signal.aborted || hasCode(error, 'CANCELLED')) throw error
        const { details } = EnigmaError.from(error)
        const cheated = hasCode(error, 'MPC_ABORTED') && details?.reason !== 'TOLD'
        if (reported === undefined || run.joined || cheated) reported = error
        const again = isCut(error) || (number > 0 && hasCode(error, 'PEER_UNREACHABLE', 'CHANNEL_CLOSED'))
        const pause = pausesMs[number]
        if (!again || cheated || pause === undefined) throw reported
        if (details?.keyExposed === true) run.forget()
        await systemClock.sleep(pause, signal)
      }
    }
  } finally {
    run.forget()
  }
}

/** What a party needs beside its part of the MAC key to go on: authenticated shares of one epoch. */
interface Saved {
  readonly epochId: string
  /** Of epoch, program, position and everything that was broadcast until then: the same at all parties. */
  readonly digest: Uint8Array
  readonly checkpoint: Checkpoint<AuthShare>
}

class ResumableRun {
  readonly #o: ResumableOptions
  readonly #program: Uint8Array
  #slots: AuthShare[] = []
  #saved: Saved | undefined
  /** Whether all parties had begun the last try. */
  joined = false

  constructor(options: ResumableOptions) {
    this.#o = options
    const length = options.program.circuit.inputs.reduce((a, b) => a + b, 0)
    if (options.inputs.values.length !== length)
      throw new EnigmaError('CIRCUIT_INPUT', `the program takes ${length} values`)
    this.#program = programDigest(options.program)
  }

  async try(number: number): Promise<FieldVector> {
    const o = this.#o
    const { field, parties, roundTimeoutMs, signal } = o
    const { circuit, params } = o.program
    this.joined = false
    const again = number > 0
    if (again && !(await this.#agreed(number))) this.forget()
    const material = await this.#material(number)
    try {
      const saved = this.#saved
      if (again) o.onResume?.(saved?.checkpoint.layer)
      const context = again ? digest(o.context, Uint8Array.of(number), saved?.digest ?? NONE) : o.context
      const session = await o.openSession(again ? `${number}/spdz` : 'spdz')
      const party = await joinSpdz({ field, session, parties, material, roundTimeoutMs, signal, context })
      this.joined = true
      try {
        const engine = spdzEngine(party, material)
        if (saved === undefined) {
          o.onInputs?.()
          const all = await authenticate(party, o.inputs)
          let at = 0
          this.#slots = circuit.inputs.map((length) => {
            at += length
            return engine.slice(all, at - length, at)
          })
          freeAuth(all)
        }
        const result = await runCircuit(engine, circuit, this.#slots, {
          params,
          signal,
          ...(o.onProgress === undefined ? {} : { onProgress: o.onProgress }),
          ...(saved === undefined ? {} : { resume: saved.checkpoint }),
          onCheckpoint: (checkpoint) => {
            const epochId = material.epoch.id
            const position = new Uint8Array(4)
            new DataView(position.buffer).setUint32(0, checkpoint.layer)
            const { transcript } = internals(party).channel
            this.#saved = {
              epochId,
              checkpoint,
              digest: digest(context, Buffer.from(epochId), this.#program, position, transcript),
            }
          },
        })
        try {
          const out = await outputShares(party, material, result)
          await party.close()
          return out
        } finally {
          freeAuth(result)
        }
      } catch (error) {
        await party.close(error)
        throw error
      }
    } finally {
      material.macKey.free()
    }
  }

  /** From now on only the inputs are left. */
  forget(): void {
    if (this.#saved !== undefined)
      freeCheckpoint({ free: (a: AuthShare) => freeAuth(a) }, this.#saved.checkpoint)
    this.#saved = undefined
    freeAuth(...this.#slots)
    this.#slots = []
  }

  /** Whether all parties have the same checkpoint; all come to the same answer. */
  async #agreed(number: number): Promise<boolean> {
    const { parties, index, roundTimeoutMs, signal } = this.#o
    const session = await this.#o.openSession(`${number}/hello`)
    const channel = new PartyChannel({ session, parties, index, timeoutMs: roundTimeoutMs, signal })
    try {
      const own = this.#saved?.digest ?? NONE
      const told = await channel.broadcast(STEP.hello, own)
      await channel.echo()
      return this.#saved !== undefined && told.every((theirs) => Buffer.compare(theirs, own) === 0)
    } catch (error) {
      await channel.abort(error)
      throw error
    } finally {
      await session.close()
    }
  }

  /** For the rest of the program; for all of it when the epoch of the checkpoint is not the committee's any more. */
  async #material(number: number): Promise<MaterialSource> {
    const { program, prepare } = this.#o
    const name = number === 0 ? '' : `${number}`
    if (this.#saved !== undefined) {
      const { checkpoint, epochId } = this.#saved
      const material = await prepare(name, materialAfter(program.circuit, checkpoint.layer))
      if (material.epoch.id === epochId) return material
      material.macKey.free()
      this.forget()
      return prepare(`${name}n`, materialFor(program.circuit))
    }
    return prepare(name, materialFor(program.circuit))
  }
}

function digest(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256').update('enigma/spdz/checkpoint/1')
  for (const part of parts) hash.update(createHash('sha256').update(part).digest())
  return hash.digest()
}
