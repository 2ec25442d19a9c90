import { keccak_256 } from '@noble/hashes/sha3.js'
import { fromHex, toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { MAX_ARITY, MAX_BYTES, MAX_LIST, MAX_NODES, OP, VERSION } from './constants.ts'
import type { Predicate } from './types.ts'

type Hex = `0x${string}`

const UINT32_MAX = 2 ** 32 - 1
const UINT48_MAX = 2n ** 48n - 1n
const UINT64_MAX = 2n ** 64n - 1n

/**
 * The encoding that goes on the ledger, in the one form a predicate has: lists sorted, no identity as zeros.
 * Throws PREDICATE_INVALID for numbers out of range, empty or repeated lists, or more than the limits allow.
 */
export function encodePredicate(predicate: Predicate): Uint8Array {
  const bytes: number[] = [VERSION]
  let nodes = 0
  const visit = (p: Predicate, depth: number): void => {
    if (++nodes > MAX_NODES || depth > MAX_NODES) throw invalid(`more than ${MAX_NODES} conditions`)
    if (p.kind === 'and' || p.kind === 'or') {
      if (p.of.length < 2 || p.of.length > MAX_ARITY)
        throw invalid(`"${p.kind}" joins 2 to ${MAX_ARITY} parts`)
      for (const part of p.of) visit(part, depth + 1)
      bytes.push(OP[p.kind], p.of.length)
    } else if (p.kind === 'not') {
      visit(p.of, depth + 1)
      bytes.push(OP.not)
    } else {
      bytes.push(OP[p.kind], ...operand(p))
    }
  }
  visit(predicate, 0)
  if (bytes.length > MAX_BYTES) throw invalid(`longer than ${MAX_BYTES} bytes`)
  return Uint8Array.from(bytes)
}

type Leaf = Exclude<Predicate, { kind: 'and' | 'or' | 'not' }>

function operand(p: Leaf): number[] {
  switch (p.kind) {
    case 'keys':
      return list(p.accounts, 20, 'accounts')
    case 'functions':
      return list(p.ids, 32, 'functions')
    case 'role': {
      const identity = p.identity === undefined ? new Uint8Array(20) : fixed(p.identity, 20)
      if (p.identity !== undefined && identity.every((b) => b === 0)) throw invalid('the identity is zero')
      return [...identity, ...number(p.mask, UINT64_MAX, 8, 'role mask')]
    }
    case 'expiry':
      return number(whole(p.before), UINT48_MAX, 6, 'expiry')
    case 'uses':
      return number(whole(p.max), BigInt(UINT32_MAX), 4, 'use count')
    case 'cohort':
      return number(whole(p.min), BigInt(UINT32_MAX), 4, 'cohort')
    default:
      return []
  }
}

function list(items: Hex[], size: number, what: string): number[] {
  if (items.length < 1 || items.length > MAX_LIST)
    throw invalid(`a list of ${what} has 1 to ${MAX_LIST} entries`)
  const sorted = items.map((item) => fixed(item, size)).sort(Buffer.compare)
  for (let i = 1; i < sorted.length; i++)
    if (Buffer.compare(sorted[i - 1]!, sorted[i]!) === 0) throw invalid(`a list of ${what} repeats an entry`)
  return [sorted.length, ...sorted.flatMap((b) => [...b])]
}

function fixed(hex: Hex, size: number): Uint8Array {
  try {
    return fromHex(hex, size)
  } catch (cause) {
    throw new EnigmaError('PREDICATE_INVALID', `predicate: expected ${size} bytes in hexadecimal`, { cause })
  }
}

function whole(n: number): bigint {
  if (!Number.isSafeInteger(n)) throw invalid(`${n} is not a whole number`)
  return BigInt(n)
}

function number(n: bigint, max: bigint, size: number, what: string): number[] {
  if (n < 1n || n > max) throw invalid(`${what} ${n} is outside 1 to ${max}`)
  const bytes: number[] = []
  for (let shift = BigInt(size - 1) * 8n; shift >= 0n; shift -= 8n) bytes.push(Number((n >> shift) & 0xffn))
  return bytes
}

/** Reads an encoding. Throws PREDICATE_INVALID for exactly what the contract refuses to publish. */
export function decodePredicate(bytes: Uint8Array): Predicate {
  if (bytes.length < 2 || bytes.length > MAX_BYTES || bytes[0] !== VERSION)
    throw invalid('unknown version or length')
  const stack: Predicate[] = []
  const reader = new Reader(bytes)
  for (let nodes = 1; !reader.done; nodes++) {
    if (nodes > MAX_NODES) throw invalid(`more than ${MAX_NODES} conditions`)
    const op = reader.number(1)
    if (op === BigInt(OP.and) || op === BigInt(OP.or)) {
      const arity = Number(reader.number(1))
      if (arity < 2 || arity > MAX_ARITY || arity > stack.length)
        throw invalid('a connective lacks its parts')
      stack.push({ kind: op === BigInt(OP.and) ? 'and' : 'or', of: stack.splice(-arity) })
    } else if (op === BigInt(OP.not)) {
      const part = stack.pop()
      if (!part) throw invalid('"not" lacks its part')
      stack.push({ kind: 'not', of: part })
    } else {
      stack.push(reader.leaf(Number(op)))
    }
  }
  if (stack.length !== 1) throw invalid('parts are left over')
  return stack[0]!
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 1

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  #take(size: number): Uint8Array {
    const end = this.#at + size
    if (end > this.#bytes.length) throw invalid('it ends in the middle of a condition')
    const part = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return part
  }

  number(size: number): bigint {
    return BigInt(toHex(this.#take(size)))
  }

  #positive(size: number): bigint {
    const n = this.number(size)
    if (n === 0n) throw invalid('a number is zero')
    return n
  }

  #list(size: number): Hex[] {
    const count = Number(this.number(1))
    if (count < 1 || count > MAX_LIST) throw invalid(`a list has 1 to ${MAX_LIST} entries`)
    const items: Hex[] = []
    for (let i = 0; i < count; i++) {
      const item = toHex(this.#take(size))
      if (i > 0 && items[i - 1]! >= item) throw invalid('a list is not in ascending order')
      items.push(item)
    }
    return items
  }

  leaf(op: number): Predicate {
    switch (op) {
      case OP.owner:
        return { kind: 'owner' }
      case OP.approval:
        return { kind: 'approval' }
      case OP.anyone:
        return { kind: 'anyone' }
      case OP.keys:
        return { kind: 'keys', accounts: this.#list(20) }
      case OP.functions:
        return { kind: 'functions', ids: this.#list(32) }
      case OP.role: {
        const identity = this.#take(20)
        const mask = this.#positive(8)
        return identity.every((b) => b === 0)
          ? { kind: 'role', mask }
          : { kind: 'role', mask, identity: toHex(identity) }
      }
      case OP.expiry:
        return { kind: 'expiry', before: Number(this.#positive(6)) }
      case OP.uses:
        return { kind: 'uses', max: Number(this.#positive(4)) }
      case OP.cohort:
        return { kind: 'cohort', min: Number(this.#positive(4)) }
      default:
        throw invalid(`unknown condition ${op}`)
    }
  }
}

/** Content address on the ledger: keccak-256 of the encoding. */
export function predicateId(encoding: Uint8Array): Hex {
  return toHex(keccak_256(encoding))
}

function invalid(what: string): EnigmaError {
  return new EnigmaError('PREDICATE_INVALID', `predicate: ${what}`)
}
