import { secp256k1 } from '@noble/curves/secp256k1.js'
import { randomBytes } from '../base/random.ts'
import { turn } from '../base/turns.ts'

/** After so many signatures the engine has compiled what they take, and they take half the time. */
const ROUNDS = 20

let done: Promise<void> | undefined

/**
 * Signs and checks a few random messages, in turns, once for each process. A node that joins a network shakes hands with many
 * peers at once, which otherwise holds its event loop while the engine still interprets.
 */
export function practise(): Promise<void> {
  done ??= rounds()
  return done
}

async function rounds(): Promise<void> {
  const key = secp256k1.utils.randomSecretKey()
  const publicKey = secp256k1.getPublicKey(key)
  for (let i = 0; i < ROUNDS; i++) {
    await turn()
    const message = randomBytes(32)
    secp256k1.verify(secp256k1.sign(message, key), message, publicKey)
  }
}
