import { create } from 'zustand'
import {
  EnigmaError,
  type Input,
  type MethodName,
  type NodeEvent,
  type Output,
} from '../../../core/ipc/index.ts'
import type { Bridge, BridgeState } from '../../bridge.ts'

/** Whether the node can be reached; `lostAt` since when it cannot. */
export const useConnection = create<{ state: BridgeState; lostAt: number | undefined }>()(() => ({
  state: 'connecting',
  lostAt: undefined,
}))

let bridge: Bridge | undefined
const eventListeners = new Set<(event: NodeEvent) => void>()
const readyListeners = new Set<() => void>()

/** Hands the stores their bridge; returns a function that takes it away again (tests). */
export function installBridge(next: Bridge): () => void {
  bridge = next
  const apply = (state: BridgeState): void => {
    const before = useConnection.getState()
    useConnection.setState({
      state,
      lostAt: state === 'offline' ? (before.lostAt ?? Date.now()) : undefined,
    })
    if (state === 'ready') for (const listener of readyListeners) listener()
  }
  apply(next.state)
  const stops = [
    next.onState(apply),
    next.subscribe((event) => {
      for (const listener of eventListeners) listener(event)
    }),
  ]
  return () => {
    for (const stop of stops) stop()
    bridge = undefined
  }
}

/** One call to the node; rejects with EnigmaError. */
export async function call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
  if (bridge === undefined) throw new EnigmaError('HOST_GONE', 'the node cannot be reached')
  return bridge.call(method, input)
}

export function retryConnection(): void {
  bridge?.retry()
}

export function onNodeEvent(listener: (event: NodeEvent) => void): () => void {
  eventListeners.add(listener)
  return () => eventListeners.delete(listener)
}

/** Called each time the channel opens: what was missed in between has to be asked for again. */
export function onReady(listener: () => void): () => void {
  readyListeners.add(listener)
  return () => readyListeners.delete(listener)
}
