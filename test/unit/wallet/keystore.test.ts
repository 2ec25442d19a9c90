import { Transaction, TypedDataEncoder, verifyMessage, Wallet } from 'ethers'
import { describe, expect, it } from 'vitest'
import { equalBytes, fromHex, toHex } from '../../../core/base/bytes.ts'
import type { NodeKey, Signer } from '../../../core/ledger/types.ts'
import { Keystore } from '../../../core/wallet/keystore.ts'
import { phraseToEntropy } from '../../../core/wallet/phrase.ts'
import { LocalSigner, recoverAddress } from '../../../core/wallet/signer.ts'

const PHRASE = 'test test test test test test test test test test test junk'
const open = () => Keystore.fromEntropy(phraseToEntropy(PHRASE))

describe('keystore', () => {
  // Addresses printed by `anvil` for its default phrase.
  it('derives the accounts every wallet derives from the phrase', async () => {
    const keys = await open()
    expect(keys.signer().address).toBe('0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266')
    expect(keys.signer(1).address).toBe('0x70997970c51812dc3a010c7d01b50e0d17dc79c8')
    expect(keys.signer(9).address).toBe('0xa0ee7a142d267c1f36714e4a8f75612f20a79720')
    expect(keys.deposit().address).not.toBe(keys.signer().address)
    expect(keys.deposit().publicKey).toHaveLength(33)
  })

  it('refuses indices outside [0, 2^31)', async () => {
    const keys = await open()
    for (const index of [-1, 0.5, 2 ** 31, Number.NaN])
      expect(() => keys.signer(index)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it('gives the same result key and secret for a job after a restore, others for other jobs', async () => {
    const [a, b] = [await open(), await open()]
    expect(a.resultKey('job-1').address).toBe(b.resultKey('job-1').address)
    expect(a.resultKey('job-1').address).not.toBe(a.resultKey('job-2').address)
    expect(equalBytes(a.deriveSecret('x'), b.deriveSecret('x'))).toBe(true)
    expect(equalBytes(a.deriveSecret('x'), a.deriveSecret('y'))).toBe(false)
  })

  it('does nothing after dispose and leaves no key behind', async () => {
    const keys = await open()
    const signer = keys.signer()
    keys.dispose()
    const locked = expect.objectContaining({ code: 'VAULT_LOCKED' })
    expect(() => signer.signDigest(new Uint8Array(32))).toThrow(locked)
    expect(() => keys.signer()).toThrow(locked)
    expect(() => keys.signer(5)).toThrow(locked)
    expect(() => keys.deposit()).toThrow(locked)
    expect(() => keys.resultKey('j')).toThrow(locked)
    expect(() => keys.deriveSecret('x')).toThrow(locked)
  })
})

describe('signer', () => {
  const reference = Wallet.fromPhrase(PHRASE)

  it('fits what the ledger asks of a signer and of a node key', async () => {
    const keys = await open()
    const signer: Signer = keys.signer()
    const node: NodeKey = keys.resultKey('n')
    expect(signer.address).toMatch(/^0x[0-9a-f]{40}$/)
    expect(node.publicKey).toHaveLength(33)
  })

  it('signs transactions, typed data and messages as ethers does', async () => {
    const signer = (await open()).signer()
    const tx = {
      chainId: 31337,
      nonce: 7,
      to: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
      value: 5n,
      data: '0x1234',
      gasLimit: 90_000n,
      maxFeePerGas: 10n,
      maxPriorityFeePerGas: 1n,
    } as const
    const raw = await signer.signTransaction(tx)
    expect(raw).toBe(await reference.signTransaction({ ...tx, type: 2 }))
    expect(Transaction.from(raw).from?.toLowerCase()).toBe(signer.address)

    const data = {
      domain: {
        name: 'Enigma',
        version: '1',
        chainId: 31337,
        verifyingContract: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
      },
      primaryType: 'Approval',
      types: {
        EIP712Domain: [{ name: 'name', type: 'string' }],
        Approval: [{ name: 'job', type: 'bytes32' }],
      },
      message: { job: toHex(new Uint8Array(32).fill(3)) },
    } as const
    const mutable = structuredClone(data) as unknown as Parameters<typeof signer.signTypedData>[0]
    const signature = await signer.signTypedData(mutable)
    expect(signature).toBe(
      await reference.signTypedData(mutable.domain, { Approval: mutable.types.Approval! }, mutable.message),
    )
    const digest = fromHex(
      TypedDataEncoder.hash(mutable.domain, { Approval: mutable.types.Approval! }, mutable.message),
    )
    expect(recoverAddress(digest, fromHex(signature))).toBe(signer.address)
    await expect(signer.signTypedData({ ...mutable, primaryType: 'Other' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
    expect(verifyMessage('hello', toHex(signer.signMessage('hello'))).toLowerCase()).toBe(signer.address)
  })

  it('refuses a transaction that any chain would accept', async () => {
    const signer = (await open()).signer()
    const tx = {
      chainId: 0,
      nonce: 0,
      to: signer.address,
      value: 0n,
      data: '0x',
      gasLimit: 21_000n,
      maxFeePerGas: 1n,
      maxPriorityFeePerGas: 1n,
    } as const
    await expect(signer.signTransaction(tx)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('rejects digests, keys and signatures of the wrong shape', async () => {
    const signer = (await open()).signer()
    const bad = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    expect(() => signer.signDigest(new Uint8Array(31))).toThrow(bad)
    expect(() => new LocalSigner(new Uint8Array(32))).toThrow(bad)
    expect(() => new LocalSigner(new Uint8Array(32).fill(255))).toThrow(bad)
    const digest = new Uint8Array(32).fill(9)
    const signature = signer.signDigest(digest)
    expect(recoverAddress(digest, signature)).toBe(signer.address)
    const wrongV = signature.slice()
    wrongV[64] = 29
    expect(() => recoverAddress(digest, wrongV)).toThrow(bad)
    // The malleable twin (n − s, flipped v) must not pass.
    const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = BigInt(toHex(signature.slice(32, 64)))
    const twin = signature.slice()
    twin.set(fromHex((n - s).toString(16).padStart(64, '0')), 32)
    twin[64] = signature[64] === 27 ? 28 : 27
    expect(() => recoverAddress(digest, twin)).toThrow(bad)
  })

  it('lends the key as a copy that is wiped, and does not print it', async () => {
    const signer = (await open()).signer()
    let kept = new Uint8Array(0)
    const hex = signer.withPrivateKey((key) => {
      kept = key as Uint8Array<ArrayBuffer>
      return toHex(key)
    })
    expect(hex).toBe(reference.privateKey)
    expect(kept.every((b) => b === 0)).toBe(true)
    expect(JSON.stringify(signer)).not.toContain(hex.slice(2))
  })
})
