import { chmod, link, mkdir, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { fromHex, toHex } from '../base/bytes.ts'
import { EnigmaError } from '../base/errors.ts'
import { randomBytes } from '../base/random.ts'
import { LocalSigner } from './signer.ts'

export const NODE_KEY_FILE = 'node-key.json'

function parse(text: string): LocalSigner {
  const corrupt = () =>
    new EnigmaError('STORAGE_CORRUPT', `${NODE_KEY_FILE} is damaged`, {
      remedy:
        'Put it back from a copy of the data directory; a new key means a new registration and deposit.',
    })
  let fields: { version?: unknown; address?: unknown; privateKey?: unknown }
  try {
    fields = JSON.parse(text)
  } catch {
    throw corrupt()
  }
  if (typeof fields?.version === 'number' && fields.version > 1)
    throw new EnigmaError('STORAGE_VERSION', `${NODE_KEY_FILE} was written by a newer version`)
  const { privateKey } = fields ?? {}
  if (typeof privateKey !== 'string' || !/^0x[0-9a-f]{64}$/.test(privateKey)) throw corrupt()
  const signer = new LocalSigner(fromHex(privateKey, 32))
  if (signer.address !== fields.address) throw corrupt()
  return signer
}

/**
 * The node's hot key (secp256k1), made on first start and kept in `dir`/node-key.json, mode 0600. It is outside
 * the vault because the node serves while the vault is locked; it holds no deposit. Two processes that start at
 * once agree on one key. Throws STORAGE_CORRUPT, STORAGE_VERSION.
 */
export async function loadOrCreateNodeKey(dir: string): Promise<LocalSigner> {
  const path = join(dir, NODE_KEY_FILE)
  const existing = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (existing !== undefined) {
    const signer = parse(existing)
    await chmod(path, 0o600)
    return signer
  }

  await mkdir(dir, { recursive: true, mode: 0o700 })
  const key = secp256k1.utils.randomSecretKey()
  const text = JSON.stringify({
    version: 1,
    address: new LocalSigner(key.slice()).address,
    privateKey: toHex(key),
  })
  const temporary = `${path}.${toHex(randomBytes(6)).slice(2)}.tmp`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(`${text}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    // link() refuses to replace, so of two first starts exactly one wins and the other reads the winner's key.
    await link(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await unlink(temporary)
  }
  if (process.platform !== 'win32') {
    const directory = await open(dir, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  }
  return parse(await readFile(path, 'utf8'))
}
