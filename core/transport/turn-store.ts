import { MemoryDatastore } from 'datastore-core/memory'
import { turn } from '../base/turns.ts'

type Args<K extends 'get' | 'put' | 'has'> = Parameters<MemoryDatastore[K]>

/**
 * What libp2p keeps of its peers, in memory. Who comes here waits for a turn of the event loop when this one has lasted long
 * enough: libp2p does so between its steps (it identifies a peer, serves one, dials, learns of others), which otherwise follow
 * one another without a pause as soon as several peers answer.
 */
export class TurnStore extends MemoryDatastore {
  override get(...args: Args<'get'>): ReturnType<MemoryDatastore['get']> {
    return turn().then(() => super.get(...args))
  }

  override put(...args: Args<'put'>): ReturnType<MemoryDatastore['put']> {
    return turn().then(() => super.put(...args))
  }

  override has(...args: Args<'has'>): ReturnType<MemoryDatastore['has']> {
    return turn().then(() => super.has(...args))
  }
}
