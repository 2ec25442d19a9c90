/** A node, named by the Ethereum address of its secp256k1 node key: lower-case, 0x and 40 hex digits. */
export type NodeId = `0x${string}`

export interface RequestOptions {
  timeoutMs?: number
  signal?: AbortSignal
}

/** Answers one request. What it throws reaches the caller as the EnigmaError of the same code. */
export type RequestHandler = (from: NodeId, payload: Uint8Array) => Promise<Uint8Array>

/**
 * Ordered, authenticated, reliable messages between the parties of one session. Messages for a session that
 * the receiver has not opened yet wait (bounded); closing drops them.
 */
export interface Session {
  readonly id: string
  readonly self: NodeId
  /** Every party but this one. */
  readonly peers: readonly NodeId[]
  /**
   * Queues a message, which may come in parts; resolves when it has been handed to the channel (back-pressure), and must
   * not change before.
   */
  send(to: NodeId, ...parts: Uint8Array[]): Promise<void>
  /** The next message of `from`. Rejects with TIMEOUT, CHANNEL_CLOSED (peer gone) or CANCELLED. */
  receive(from: NodeId, options?: RequestOptions): Promise<Uint8Array>
  /** Fires once a peer's channel is lost. */
  onPeerLost(listener: (peer: NodeId) => void): () => void
  close(): Promise<void>
}

/**
 * Authenticated channels between admitted nodes. Two implementations, one compliance suite: memory (tests)
 * and libp2p.
 */
export interface Transport {
  readonly self: NodeId
  /** One request, one answer. Codes: PEER_UNREACHABLE, PEER_NOT_ADMITTED, TIMEOUT, FRAME_TOO_LARGE, and the handler's own. */
  request(peer: NodeId, protocol: string, payload: Uint8Array, options?: RequestOptions): Promise<Uint8Array>
  handle(protocol: string, handler: RequestHandler): void
  openSession(id: string, peers: readonly NodeId[], options?: RequestOptions): Promise<Session>
  connectedPeers(): NodeId[]
  onPeer(listener: (peer: NodeId, connected: boolean) => void): () => void
  stop(): Promise<void>
}
