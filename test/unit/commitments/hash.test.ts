import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../core/base/bytes.ts'
import { commitMessage, openMessage } from '../../../core/commitments/hash.ts'

const context = utf8('session 1, round 2, party 3')
const message = utf8('coin')
const refused = expect.objectContaining({ code: 'COMMITMENT_MISMATCH' })

describe('hash commitments', () => {
  it('open to their message only', () => {
    const c = commitMessage(context, message)
    expect(() => openMessage(context, message, c)).not.toThrow()
    expect(() => openMessage(context, utf8('coin2'), c)).toThrow(refused)
    expect(() => openMessage(utf8('session 1, round 2, party 4'), message, c)).toThrow(refused)
    expect(() => openMessage(context, message, { ...c, nonce: new Uint8Array(32) })).toThrow(refused)
    expect(() => openMessage(context, message, { ...c, nonce: c.nonce.subarray(1) })).toThrow(refused)
    expect(() => openMessage(context, message, { ...c, commitment: c.commitment.subarray(1) })).toThrow(
      refused,
    )
  })

  it('keep the border between context and message', () => {
    const nonce = new Uint8Array(32)
    const a = commitMessage(utf8('ab'), utf8('c'), nonce).commitment
    expect(commitMessage(utf8('a'), utf8('bc'), nonce).commitment).not.toEqual(a)
    expect(commitMessage(utf8('ab'), utf8('c'), nonce).commitment).toEqual(a)
  })

  it('hide equal messages and refuse short nonces', () => {
    expect(commitMessage(context, message).commitment).not.toEqual(commitMessage(context, message).commitment)
    expect(() => commitMessage(context, message, new Uint8Array(16))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })
})
