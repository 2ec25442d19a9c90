import type { StreamMuxerFactory } from '@libp2p/interface'

/**
 * Muxers that give up quietly. yamux throws when it gives up a connection that is closed for writing already, after it has ended
 * its streams, because it cannot say so to the other side; while a message is handed out nobody catches that, and the process
 * would end.
 */
export function givingUpQuietly<Components>(
  create: (components: Components) => StreamMuxerFactory,
): (components: Components) => StreamMuxerFactory {
  return (components) => {
    const factory = create(components)
    const createStreamMuxer: StreamMuxerFactory['createStreamMuxer'] = (connection) => {
      const muxer = factory.createStreamMuxer(connection)
      const abort = muxer.abort.bind(muxer)
      muxer.abort = (error) => {
        try {
          abort(error)
        } catch (failed) {
          connection.log('gave up a connection that was closed: %e', failed)
        }
      }
      return muxer
    }
    return Object.assign(Object.create(factory) as StreamMuxerFactory, { createStreamMuxer })
  }
}
