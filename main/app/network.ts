import { existsSync } from 'node:fs'
import type { Log } from '../../core/base/log.ts'
import { Devnet, type DevnetInfo } from '../devnet.ts'
import { networkFile, readNetwork } from '../host/network.ts'
import type { Launcher } from '../process/supervised.ts'

/** Peers of an embedded devnet unless told otherwise. */
const NODES = 4

/**
 * The settings file to use: the one that was named, else the one of the data directory if it points elsewhere,
 * else that of the embedded devnet, which is started (`onStarted` gets what ends it). Throws what is wrong with it.
 */
export async function chooseNetwork(
  dataDir: string,
  named: string | undefined,
  launch: Launcher,
  log: Log,
  onStarted: (stop: () => Promise<void>) => void,
  options: { nodes?: number; announce?: (info: DevnetInfo) => void } = {},
): Promise<string> {
  if (named !== undefined) {
    readNetwork(named)
    return named
  }
  const file = networkFile(dataDir)
  if (existsSync(file) && readNetwork(file).kind === 'remote') return file
  const devnet = new Devnet({ dataDir, nodes: options.nodes ?? NODES, log: log.child('devnet'), launch })
  onStarted(() => devnet.stop())
  const info = await devnet.start()
  options.announce?.(info)
  return info.network
}
