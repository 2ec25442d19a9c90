import { getCiphers } from 'node:crypto'
import { noise, pureJsCrypto } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { autoNAT } from '@libp2p/autonat'
import { bootstrap } from '@libp2p/bootstrap'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { dcutr } from '@libp2p/dcutr'
import { identify } from '@libp2p/identify'
import type { ConnectionGater, Libp2p, PrivateKey } from '@libp2p/interface'
import { kadDHT, passthroughMapper, removePrivateAddressesMapper } from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { toHex } from '../base/bytes.ts'
import { turn } from '../base/turns.ts'
import { KiB, MiB, second } from '../base/units.ts'
import { givingUpQuietly } from './muxing.ts'
import { paced } from './pacing.ts'
import { Spacing } from './spacing.ts'
import { TurnStore } from './turn-store.ts'

/** Signatures remembered: the handshake's, and a few records of addresses. */
const SIGNATURES = 8

/** Pings under way over one connection, in each direction. */
const PINGS = 16

export interface NodeOptions {
  /** 32-byte secp256k1 node key. */
  privateKey: Uint8Array
  /** Multiaddrs to listen on, default one free port of the loopback interface. */
  listen?: readonly string[]
  /** Multiaddrs to announce instead of those listened on. */
  announce?: readonly string[]
  /** Full multiaddrs (…/p2p/…) of first contacts. */
  bootstrap?: readonly string[]
  /** Finds peers on the local network. */
  localDiscovery?: boolean
  /** Reachability from the internet: relayed connections, hole punching, address detection. */
  internet?: boolean
  /** With `internet`: relays for others. */
  relay?: boolean
}

/** A libp2p node whose identity is the node key and which lets in only what `gater` does. */
export async function createNode(options: NodeOptions, gater: ConnectionGater): Promise<Libp2p> {
  const contacts = options.bootstrap ?? []
  // Not what we ask for as well: two nodes that dial each other would wait for one another.
  const answering = new Spacing()
  const node = await createLibp2p({
    start: false,
    privateKey: signingInTurns(privateKeyFromRaw(options.privateKey)),
    datastore: new TurnStore(),
    nodeInfo: { name: 'enigma', version: '1', userAgent: 'enigma/1' },
    addresses: {
      listen: [
        ...(options.listen ?? ['/ip4/127.0.0.1/tcp/0']),
        ...(options.internet ? ['/p2p-circuit'] : []),
      ],
      announce: [...(options.announce ?? [])],
    },
    transports: [
      tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } }),
      ...(options.internet ? [circuitRelayTransport()] : []),
    ],
    connectionEncrypters: [
      // OpenSSL's ChaCha20-Poly1305 where there is one; BoringSSL (Electron) does not offer it.
      paced(noise(getCiphers().includes('chacha20-poly1305') ? {} : { crypto: pureJsCrypto }), {
        inbound: answering,
        outbound: new Spacing(),
      }),
    ],
    streamMuxers: [
      givingUpQuietly(
        yamux({
          maxInboundStreams: 1024,
          maxOutboundStreams: 1024,
          // Requests may come while the connection is still being set up.
          maxEarlyStreams: 128,
          streamOptions: {
            initialStreamWindowSize: 256 * KiB,
            maxStreamWindowSize: 16 * MiB,
            maxReadBufferLength: 32 * MiB,
          },
        }),
      ),
    ],
    connectionGater: { denyDialMultiaddr: () => false, ...gater },
    connectionManager: {
      maxConnections: 512,
      // Per host and second; many nodes share one host in a local network.
      inboundConnectionThreshold: 64,
      maxIncomingPendingConnections: 64,
      dialTimeout: 8 * second,
      addressDialTimeout: 5 * second,
      // Reconnection is this folder's own (back-off per kept peer).
      reconnectRetries: 0,
    },
    connectionMonitor: {
      pingInterval: 10 * second,
      // A connection whose peer is slow to answer is dropped, with what runs over it: no sooner than a round gives it up.
      pingTimeout: { minTimeout: 15 * second },
      protocolPrefix: 'enigma',
    },
    peerDiscovery: [
      ...(contacts.length > 0 ? [bootstrap({ list: [...contacts], timeout: 0 })] : []),
      ...(options.localDiscovery ? [mdns({ serviceTag: '_enigma._udp.local' })] : []),
    ],
    services: {
      identify: identify({ protocolPrefix: 'enigma', runOnConnectionOpen: false }),
      // The monitor and the routing table ping at the same time, and the monitor drops a connection with one ping too many.
      ping: ping({ protocolPrefix: 'enigma', maxInboundStreams: PINGS, maxOutboundStreams: PINGS }),
      dht: kadDHT({
        protocol: '/enigma/kad/1.0.0',
        clientMode: false,
        // Of answers that come together each has up to twenty keys, which take half a millisecond to check.
        alpha: 1,
        disjointPaths: 1,
        peerInfoMapper: options.internet ? removePrivateAddressesMapper : passthroughMapper,
      }),
      ...(options.internet
        ? {
            autoNAT: autoNAT({ protocolPrefix: 'enigma' }),
            dcutr: dcutr(),
            ...(options.relay ? { relay: circuitRelayServer() } : {}),
          }
        : {}),
    },
  })
  // Each five seconds the routing table would read the keys of the closest again, all in one turn, to mark them as those to
  // reconnect to, which it is not asked to do.
  const { routingTable } = node.services.dht as unknown as { routingTable: EventTarget }
  routingTable.addEventListener('peer:ping', (event) => event.stopImmediatePropagation())
  node.addEventListener('connection:open', ({ detail }) => {
    answering.run(() => node.services.identify.identify(detail)).catch(() => undefined)
  })
  await node.start()
  return node
}

/** Signs the same only once (each handshake signs the same static key), and everything else in a turn of its own. */
function signingInTurns<K extends PrivateKey>(key: K): K {
  const signed = new Map<string, Promise<Uint8Array>>()
  const sign: PrivateKey['sign'] = (message) => {
    const bytes = message.subarray()
    const name = toHex(bytes)
    let signature = signed.get(name)
    if (signature === undefined) {
      signature = turn().then(() => key.sign(bytes))
      signed.set(name, signature)
      const [oldest] = signed.keys()
      if (signed.size > SIGNATURES && oldest !== undefined) signed.delete(oldest)
    }
    return signature
  }
  return Object.assign(Object.create(key) as K, { sign })
}
