import { hkdfSync } from 'node:crypto'
import { mapHashToField } from '@noble/curves/abstract/modular.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { utf8, wipe } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import { entropyToSeed } from './phrase.ts'
import { LocalSigner } from './signer.ts'
import type { WalletKeys } from './types.ts'

const ACCOUNTS = "m/44'/60'/0'/0"
const DEPOSIT = "m/44'/60'/1'/0/0"
const MAX_INDEX = 2 ** 31

/** `master.derive(path)`, each step in turn; what lies between is wiped. */
async function derive(master: HDKey, path: string): Promise<HDKey> {
  let node = master
  for (const step of path.split('/').slice(1)) {
    await turn()
    const child = node.derive(`m/${step}`)
    if (node !== master) node.wipePrivateData()
    node = child
  }
  return node
}

function locked(): EnigmaError {
  return new EnigmaError('VAULT_LOCKED', 'the vault is locked', { remedy: 'Unlock the vault.' })
}

/** Accounts and secrets derived from a recovery phrase (BIP-39, BIP-32, BIP-44). */
export class Keystore implements WalletKeys {
  readonly #accounts: HDKey
  readonly #root: Uint8Array
  readonly #signers = new Map<string, LocalSigner>()
  #disposed = false

  private constructor(accounts: HDKey, root: Uint8Array, deposit: LocalSigner) {
    this.#accounts = accounts
    this.#root = root
    this.#signers.set('deposit', deposit)
  }

  /** `entropy`: 16 to 32 bytes, as `phraseToEntropy` gives; copied, not kept. */
  static async fromEntropy(entropy: Uint8Array): Promise<Keystore> {
    const seed = await entropyToSeed(entropy)
    await turn()
    const master = HDKey.fromMasterSeed(seed)
    let depositNode: HDKey | undefined
    try {
      depositNode = await derive(master, DEPOSIT)
      const root = new Uint8Array(
        hkdfSync('sha256', seed, new Uint8Array(0), utf8('enigma/wallet/root/v1'), 32),
      )
      const accounts = await derive(master, ACCOUNTS)
      return new Keystore(accounts, root, new LocalSigner(depositNode.privateKey!.slice()))
    } finally {
      depositNode?.wipePrivateData()
      master.wipePrivateData()
      wipe(seed)
    }
  }

  signer(index = 0): LocalSigner {
    if (!Number.isInteger(index) || index < 0 || index >= MAX_INDEX)
      throw new EnigmaError('INVALID_ARGUMENT', `account index ${index} is not in [0, 2^31)`)
    return this.#cached(`account/${index}`, () => {
      const node = this.#accounts.deriveChild(index)
      const signer = new LocalSigner(node.privateKey!.slice())
      node.wipePrivateData()
      return signer
    })
  }

  deposit(): LocalSigner {
    return this.#cached('deposit', () => {
      throw locked()
    })
  }

  resultKey(jobId: string): LocalSigner {
    // 48 bytes reduced to [1, n−1]: bias below 2^-128 (FIPS 186-5 A.2.1).
    return this.#cached(`result/${jobId}`, () => {
      const wide = this.#expand(`enigma/result-key/v1/${jobId}`, 48)
      const key = mapHashToField(wide, secp256k1.Point.Fn.ORDER)
      wipe(wide)
      return new LocalSigner(key)
    })
  }

  deriveSecret(label: string): Uint8Array {
    if (this.#disposed) throw locked()
    return this.#expand(`enigma/secret/v1/${label}`, 32)
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const signer of this.#signers.values()) signer.dispose()
    this.#signers.clear()
    this.#accounts.wipePrivateData()
    wipe(this.#root)
  }

  #expand(info: string, length: number): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#root, new Uint8Array(0), utf8(info), length))
  }

  #cached(name: string, make: () => LocalSigner): LocalSigner {
    if (this.#disposed) throw locked()
    let signer = this.#signers.get(name)
    if (signer === undefined) {
      signer = make()
      this.#signers.set(name, signer)
    }
    return signer
  }
}
