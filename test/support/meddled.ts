import { concatBytes } from '../../core/base/bytes.ts'
import type { NodeId, Session } from '../../core/transport/types.ts'

/**
 * A session in somebody else's hands: `send` gets every message whole, as a copy to change, and sends what it likes over
 * the session itself; `receive` stands for the session's own.
 */
export function meddled(
  session: Session,
  hands: { send?(to: NodeId, message: Uint8Array): Promise<void>; receive?: Session['receive'] },
): Session {
  const { send } = hands
  return {
    id: session.id,
    self: session.self,
    peers: session.peers,
    receive: hands.receive ?? session.receive.bind(session),
    onPeerLost: session.onPeerLost.bind(session),
    close: session.close.bind(session),
    send: async (to, ...parts) =>
      send === undefined ? session.send(to, ...parts) : send(to, concatBytes(...parts)),
  }
}
