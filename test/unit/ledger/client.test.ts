import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHex } from '../../../core/base/bytes.ts'
import { randomBytes } from '../../../core/base/random.ts'
import { identityAddress } from '../../../core/identity/identity.ts'
import type { LedgerClient } from '../../../core/ledger/client.ts'
import { ZERO_BYTES32 } from '../../../core/ledger/constants.ts'
import type { Address, Bytes32, Hex, Signer } from '../../../core/ledger/types.ts'
import * as support from './support.ts'

let chain: support.TestChain
let ledger: LedgerClient
let alice: Signer
let bob: Signer

beforeAll(async () => {
  chain = await support.startChain({ unbondingSeconds: 0 })
  ledger = await chain.client()
  alice = await support.fundedSigner(ledger)
  bob = await support.fundedSigner(ledger)
})
afterAll(() => chain?.[Symbol.asyncDispose]())

describe('dictionary', () => {
  test('keeps every value it ever had, per writer', async () => {
    const key = support.randomWord()
    expect(await ledger.get(alice.address, key)).toEqual(new Uint8Array())
    const first = await ledger.set(alice, key, Uint8Array.of(1, 2))
    const second = await ledger.set(alice, key, new Uint8Array(100).fill(3))
    expect(await ledger.get(alice.address, key)).toEqual(new Uint8Array(100).fill(3))
    expect(await ledger.getAsOf(alice.address, key, first.blockNumber! - 1)).toEqual(new Uint8Array())
    expect(await ledger.getAsOf(alice.address, key, first.blockNumber!)).toEqual(Uint8Array.of(1, 2))
    expect(await ledger.getAsOf(alice.address, key, second.blockNumber!)).toEqual(new Uint8Array(100).fill(3))
    expect(await ledger.get(bob.address, key)).toEqual(new Uint8Array())
    await expect(ledger.getAsOf(alice.address, key, 1e9)).rejects.toMatchObject({ code: 'LEDGER_REVERTED' })
    await expect(ledger.set(alice, key, new Uint8Array(4097))).rejects.toMatchObject({
      code: 'LEDGER_REVERTED',
      details: { error: 'ValueTooLong' },
    })
  })

  test('setting the same value again is done already', async () => {
    const key = support.randomWord()
    await ledger.set(alice, key, Uint8Array.of(9))
    expect(await ledger.set(alice, key, Uint8Array.of(9))).toMatchObject({ txHash: null })
  })
})

describe('identities', () => {
  test('a shared identity needs the consent of every member', async () => {
    const members = [
      { account: alice.address, roles: 3n },
      { account: bob.address, roles: 4n },
    ]
    const address = ledger.identityAddress([bob.address, alice.address])
    expect(address).toBe(identityAddress([alice.address, bob.address]))
    await expect(ledger.createIdentity(alice, members, ZERO_BYTES32)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      details: { error: 'InvalidSignature', expected: bob.address },
    })
    const stranger = await ledger.signIdentity(support.newSigner(), members, ZERO_BYTES32)
    await expect(
      ledger.createIdentity(alice, members, ZERO_BYTES32, { [bob.address]: stranger }),
    ).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    const otherTerms = await ledger.signIdentity(
      bob,
      [members[0]!, { ...members[1]!, roles: 5n }],
      ZERO_BYTES32,
    )
    await expect(
      ledger.createIdentity(alice, members, ZERO_BYTES32, { [bob.address]: otherTerms }),
    ).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })

    const consent = await ledger.signIdentity(bob, members, ZERO_BYTES32)
    await ledger.createIdentity(alice, members, ZERO_BYTES32, { [bob.address]: consent })
    const record = await ledger.identity(address)
    expect(record).toMatchObject({ address, nonce: 1, storePredicate: ZERO_BYTES32 })
    expect(record!.members).toHaveLength(2)
    expect(record!.members).toContainEqual({ account: bob.address, roles: 4n })

    const changed = [members[0]!, { ...members[1]!, roles: 8n }]
    await expect(
      ledger.updateIdentity(alice, changed, ZERO_BYTES32, { [bob.address]: consent }),
    ).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    const renewed = await ledger.signIdentity(bob, changed, ZERO_BYTES32, 1)
    await ledger.updateIdentity(alice, changed, ZERO_BYTES32, { [bob.address]: renewed })
    expect((await ledger.identity(address))!.members).toContainEqual({ account: bob.address, roles: 8n })
    // Going back needs a new consent: the first one is spent.
    await expect(
      ledger.updateIdentity(alice, members, ZERO_BYTES32, { [bob.address]: consent }),
    ).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    await expect(ledger.createIdentity(alice, members, ZERO_BYTES32, {})).rejects.toMatchObject({
      details: { error: 'IdentityExists' },
    })
  })

  test('an unknown identity is undefined', async () => {
    expect(await ledger.identity(support.newSigner().address)).toBeUndefined()
  })
})

describe('nodes', () => {
  test('registration binds key, account and deposit; unbonding gives the deposit back', async () => {
    const node = support.newNodeKey()
    const deposit = await ledger.minimumDeposit()
    const input = { hint: '/ip4/127.0.0.1/tcp/4001', capacity: 10, deposit }
    await expect(ledger.registerNode(alice, node, { ...input, deposit: deposit - 1n })).rejects.toMatchObject(
      {
        code: 'INSUFFICIENT_FUNDS',
      },
    )
    const forged = { ...node, signTypedData: support.newNodeKey().signTypedData }
    await expect(ledger.registerNode(alice, forged, input)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    })
    expect(await ledger.isRegistered(node.address)).toBe(false)
    await ledger.registerNode(alice, node, input)
    expect(await ledger.isRegistered(node.address)).toBe(true)
    expect(await ledger.node(node.address)).toEqual({
      nodeId: node.address,
      account: alice.address,
      publicKey: toHex(node.publicKey),
      deposit,
      hint: input.hint,
      capacity: 10,
      state: 'active',
      withdrawableAt: 0,
    })
    await expect(ledger.registerNode(bob, node, input)).rejects.toMatchObject({
      details: { error: 'NodeExists' },
    })
    await expect(ledger.updateNode(bob, node.address, input)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    })
    await ledger.updateNode(alice, node.address, { hint: '/dns4/x/tcp/1', capacity: 0 })
    expect((await ledger.nodes()).find((n) => n.nodeId === node.address)).toMatchObject({ capacity: 0 })
    await expect(ledger.withdrawNode(alice, node.address)).rejects.toMatchObject({
      details: { error: 'NotWithdrawable' },
    })
    await ledger.unbondNode(alice, node.address)
    expect((await ledger.nodes()).some((n) => n.nodeId === node.address)).toBe(false)
    expect(await ledger.isRegistered(node.address)).toBe(true)
    const before = await ledger.balance(alice.address)
    await ledger.withdrawNode(alice, node.address)
    expect((await ledger.balance(alice.address)) - before).toBeGreaterThan(deposit - 10n ** 16n)
    expect(await ledger.isRegistered(node.address)).toBe(false)
  })
})

describe('references', () => {
  let identity: Address
  let anyone: Bytes32
  beforeAll(async () => {
    identity = await support.pseudonym(ledger, alice)
    anyone = await support.publish(ledger, alice, { kind: 'anyone' })
  })

  test('are written by members, read by anyone, changed and revoked by the owner', async () => {
    const input = support.referenceInput(identity, anyone)
    const ref = ledger.referenceId(identity, input.xRef)
    await ledger.createReference(alice, input)
    const { xRef: _, ...same } = input
    expect(await ledger.reference(ref)).toMatchObject({
      ...same,
      ref,
      owner: alice.address,
      state: 'active',
      epoch: 0,
    })
    await expect(ledger.createReference(bob, input)).rejects.toMatchObject({ code: 'LEDGER_REVERTED' })
    expect(await ledger.createReference(alice, input)).toMatchObject({ txHash: null })
    await expect(
      ledger.createReference(alice, { ...input, commitmentsDigest: support.randomWord() }),
    ).rejects.toMatchObject({ details: { error: 'ReferenceExists' } })
    await expect(ledger.createReference(bob, support.referenceInput(identity, anyone))).rejects.toMatchObject(
      {
        code: 'PERMISSION_DENIED',
        details: { error: 'StoreDenied' },
      },
    )
    await expect(ledger.changePredicates(bob, ref, ZERO_BYTES32, anyone)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    })
    expect(await ledger.canRead(ref, bob.address)).toBe(false)
    expect(await ledger.canRead(ref, alice.address)).toBe(true)
    await ledger.changePredicates(alice, ref, ZERO_BYTES32, anyone)
    expect(await ledger.canRead(ref, bob.address)).toBe(true)
    await ledger.revoke(alice, ref)
    expect(await ledger.reference(ref)).toMatchObject({ state: 'revoked', epoch: 1 })
    expect(await ledger.canRead(ref, alice.address)).toBe(false)
    expect(await ledger.revoke(alice, ref)).toMatchObject({ txHash: null })
    await expect(ledger.changePredicates(alice, ref, anyone, anyone)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    })
  })

  test.each([
    ['a point off the curve', { c0: `0x${'00'.repeat(63)}01` as Hex }],
    ['the point at infinity', { c0: `0x${'00'.repeat(64)}` as Hex }],
    ['no values', { length: 0 }],
    ['a threshold of n', { t: 5 }],
    ['an unpublished predicate', { computePredicate: toHex(randomBytes(32)) }],
  ])('%s is refused', async (_, wrong) => {
    await expect(
      ledger.createReference(alice, support.referenceInput(identity, anyone, wrong)),
    ).rejects.toMatchObject({ code: expect.stringMatching(/LEDGER_REVERTED|PREDICATE_INVALID/) })
  })

  test('the store predicate decides among members', async () => {
    const onlyRole2 = await support.publish(ledger, alice, { kind: 'role', mask: 2n })
    const carol = await support.fundedSigner(ledger)
    const members = [
      { account: carol.address, roles: 1n },
      { account: bob.address, roles: 2n },
    ]
    const consents = { [bob.address]: await ledger.signIdentity(bob, members, onlyRole2) }
    await ledger.createIdentity(carol, members, onlyRole2, consents)
    const shared = ledger.identityAddress(members.map((m) => m.account))
    await expect(ledger.createReference(carol, support.referenceInput(shared, anyone))).rejects.toMatchObject(
      {
        details: { error: 'StoreDenied' },
      },
    )
    await ledger.createReference(bob, support.referenceInput(shared, anyone))
  })
})
