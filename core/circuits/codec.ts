import { keccak_256 } from '@noble/hashes/sha3.js'
import { toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { createCircuit } from './analyse.ts'
import { MAX_CODE_BYTES, MAX_CONSTANT_BITS, MAX_LENGTH, MAX_NODES } from './constants.ts'
import type { Circuit, Node } from './types.ts'

/**
 * Canonical form: magic and version, node count, nodes (operation, operands), output count, outputs. Integers
 * are minimal LEB128, signed ones zigzag. One circuit has one encoding: `decodeCircuit` refuses any other.
 */
const MAGIC = [0x45, 0x56, 0x43, 0x01]
const OPS = [
  'input',
  'param',
  'const',
  'add',
  'sub',
  'neg',
  'scale',
  'mul',
  'inner',
  'sum',
  'slice',
  'concat',
  'broadcast',
  'bits',
  'random',
  'open',
  'low',
  'digits',
  'inverse',
  'isZero',
  'blocks',
] as const

const invalid = (message: string) => new EnigmaError('CIRCUIT_INVALID', message)

export function encodeCircuit(circuit: Circuit): Uint8Array {
  const out: number[] = [...MAGIC]
  const uint = (n: number) => {
    let rest = n
    while (rest >= 0x80) {
      out.push((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    out.push(rest)
  }
  const int = (v: bigint) => {
    let rest = v < 0n ? (-v << 1n) - 1n : v << 1n
    while (rest >= 0x80n) {
      out.push(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    out.push(Number(rest))
  }
  uint(circuit.nodes.length)
  for (const node of circuit.nodes) {
    out.push(OPS.indexOf(node.op))
    switch (node.op) {
      case 'input':
      case 'param':
        uint(node.slot)
        uint(node.length)
        break
      case 'const':
        uint(node.values.length)
        node.values.forEach(int)
        break
      case 'add':
      case 'sub':
      case 'mul':
      case 'inner':
        uint(node.a)
        uint(node.b)
        break
      case 'neg':
      case 'sum':
      case 'open':
      case 'inverse':
      case 'isZero':
        uint(node.a)
        break
      case 'blocks':
        uint(node.a)
        uint(node.block)
        uint(node.picks.length)
        node.picks.forEach(uint)
        break
      case 'bits':
      case 'random':
        uint(node.length)
        break
      case 'low':
        uint(node.a)
        uint(node.bits)
        break
      case 'digits':
        uint(node.a)
        uint(node.count)
        break
      case 'scale':
        uint(node.a)
        int(node.factor)
        break
      case 'slice':
        uint(node.a)
        uint(node.from)
        uint(node.to)
        break
      case 'concat':
        uint(node.parts.length)
        node.parts.forEach(uint)
        break
      case 'broadcast':
        uint(node.a)
        uint(node.length)
    }
  }
  uint(circuit.outputs.length)
  circuit.outputs.forEach(uint)
  if (out.length > MAX_CODE_BYTES) throw invalid(`the program takes more than ${MAX_CODE_BYTES} bytes`)
  return Uint8Array.from(out)
}

/** Strict inverse of `encodeCircuit` for bytes from outside. Throws CIRCUIT_INVALID. */
export function decodeCircuit(bytes: Uint8Array): Circuit {
  if (bytes.length > MAX_CODE_BYTES) throw invalid(`the program takes more than ${MAX_CODE_BYTES} bytes`)
  const reader = new Reader(bytes)
  for (const m of MAGIC) if (reader.byte() !== m) throw invalid('not a program of this version')
  const nodes: Node[] = []
  for (let n = reader.count(MAX_NODES); n > 0; n--) nodes.push(readNode(reader))
  const outputs = reader.list(MAX_NODES, () => reader.uint())
  reader.end()
  return createCircuit(nodes, outputs)
}

/** keccak256 of the canonical encoding: what a job's record on the ledger names. */
export function codeHash(circuit: Circuit): `0x${string}` {
  return toHex(keccak_256(encodeCircuit(circuit)))
}

function readNode(r: Reader): Node {
  const op = OPS[r.byte()]
  switch (op) {
    case 'input':
    case 'param':
      return { op, slot: r.uint(), length: r.uint() }
    case 'const':
      return { op, values: r.list(MAX_LENGTH, () => r.int()) }
    case 'add':
    case 'sub':
    case 'mul':
    case 'inner':
      return { op, a: r.uint(), b: r.uint() }
    case 'neg':
    case 'sum':
    case 'open':
    case 'inverse':
    case 'isZero':
      return { op, a: r.uint() }
    case 'blocks':
      return { op, a: r.uint(), block: r.uint(), picks: r.list(MAX_LENGTH, () => r.uint()) }
    case 'bits':
    case 'random':
      return { op, length: r.uint() }
    case 'low':
      return { op, a: r.uint(), bits: r.uint() }
    case 'digits':
      return { op, a: r.uint(), count: r.uint() }
    case 'scale':
      return { op, a: r.uint(), factor: r.int() }
    case 'slice':
      return { op, a: r.uint(), from: r.uint(), to: r.uint() }
    case 'concat':
      return { op, parts: r.list(MAX_NODES, () => r.uint()) }
    case 'broadcast':
      return { op, a: r.uint(), length: r.uint() }
    default:
      throw invalid('unknown operation')
  }
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  byte(): number {
    const b = this.#bytes[this.#at++]
    if (b === undefined) throw invalid('the program is cut short')
    return b
  }
  /** Minimal LEB128 below 2^28: above every limit, below every overflow. */
  uint(): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const b = this.byte()
      value |= (b & 0x7f) << shift
      if (b < 0x80) {
        if (b === 0 && shift > 0) throw invalid('an integer is not in minimal form')
        return value
      }
    }
    throw invalid('an integer is too large')
  }
  int(): bigint {
    let value = 0n
    for (let shift = 0; shift <= MAX_CONSTANT_BITS + 7; shift += 7) {
      const b = this.byte()
      value |= BigInt(b & 0x7f) << BigInt(shift)
      if (b < 0x80) {
        if (b === 0 && shift > 0) throw invalid('an integer is not in minimal form')
        return value & 1n ? -((value + 1n) >> 1n) : value >> 1n
      }
    }
    throw invalid('an integer is too large')
  }
  /** A count cannot exceed the bytes left: every item takes at least one. */
  count(max: number): number {
    const n = this.uint()
    if (n > max || n > this.#bytes.length - this.#at) throw invalid('a list is too long')
    return n
  }
  list<T>(max: number, item: () => T): T[] {
    return Array.from({ length: this.count(max) }, item)
  }
  end(): void {
    if (this.#at !== this.#bytes.length) throw invalid('bytes follow the program')
  }
}
