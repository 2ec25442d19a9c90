import { useEffect, useMemo } from 'react'
import { create, type StoreApi, type UseBoundStore } from 'zustand'
import {
  EnigmaError,
  hasCode,
  type Input,
  type MethodName,
  type NodeEvent,
  type Output,
} from '../../../core/ipc/index.ts'
import { call, onNodeEvent, onReady } from './client.ts'

/** What a screen sees: `data` stays while it is refreshed or when a refresh failed. */
export interface QueryState<T> {
  data: T | undefined
  error: EnigmaError | undefined
  loading: boolean
}

export interface Query<M extends MethodName> {
  /**
   * Loads on mount, follows the node's events while mounted. `undefined` as input: not yet, stays empty.
   * `reload` is for a "Try again" button.
   */
  use(input: Input<M> | undefined): QueryState<Output<M>> & { reload(): void }
  /** The latest answer, without loading. */
  peek(input: Input<M>): Output<M> | undefined
  /** Asks the node now; what is already under way is asked once more afterwards. */
  refresh(input: Input<M>): Promise<void>
  /** Replaces the answer in memory, for optimistic changes and for merging a single item. */
  patch(input: Input<M>, change: (data: Output<M>) => Output<M>): void
  /** Forgets every answer. */
  clear(): void
}

interface Options<M extends MethodName> {
  /** Events after which the answer may be stale. */
  on: NodeEvent['type'][]
  /** Forgotten as soon as no screen shows it: plaintext values. */
  forget?: boolean
  /** Survives a lock: says nothing about the vault's contents. */
  whileLocked?: boolean
  /** How to ask, when one call is not enough. */
  load?: (input: Input<M>) => Promise<Output<M>>
  /** Which events concern this input. Default: all of the types in `on`. */
  concerns?: (event: NodeEvent, key: string) => boolean
}

interface Entry {
  state: QueryState<unknown>
  users: number
  running: boolean
  again: boolean
  /** Raised by clear(), so that an answer under way is not kept. */
  epoch: number
}

const EMPTY: QueryState<never> = { data: undefined, error: undefined, loading: false }
const everyQuery = new Set<{ clear(): void; revive(): void; whileLocked: boolean }>()

/** Forgets all that came out of the vault, at once. */
export function forgetVault(): void {
  for (const query of everyQuery) if (!query.whileLocked) query.clear()
}

/** Asks again for what screens show and a lock emptied. */
export function recallVault(): void {
  for (const query of everyQuery) query.revive()
}

interface Core {
  useStore: UseBoundStore<StoreApi<{ entries: Record<string, QueryState<unknown>> }>>
  load(key: string): void
  attach(key: string): () => void
}

function useEntry<T>(core: Core, key: string | undefined): QueryState<T> & { reload(): void } {
  const state = core.useStore((s) => (key === undefined ? undefined : s.entries[key]))
  useEffect(() => (key === undefined ? undefined : core.attach(key)), [core, key])
  return useMemo(
    () => ({
      // Nothing asked yet, and about to be: loading, so that no screen flashes "empty".
      ...((state ?? { ...EMPTY, loading: key !== undefined }) as QueryState<T>),
      reload: () => key !== undefined && core.load(key),
    }),
    [core, state, key],
  )
}

/** A method without effects, as a slice: one entry for each input, refreshed by events, shared by screens. */
export function query<M extends MethodName>(method: M, options: Options<M>): Query<M> {
  const useStore = create<{ entries: Record<string, QueryState<unknown>> }>()(() => ({ entries: {} }))
  const entries = new Map<string, Entry>()

  function publish(key: string, state: QueryState<unknown> | undefined): void {
    useStore.setState(({ entries: before }) => {
      const next = { ...before }
      if (state === undefined) delete next[key]
      else next[key] = state
      return { entries: next }
    })
  }

  function entry(key: string): Entry {
    let found = entries.get(key)
    if (found === undefined) {
      found = { state: EMPTY, users: 0, running: false, again: false, epoch: 0 }
      entries.set(key, found)
    }
    return found
  }

  function set(key: string, e: Entry, state: QueryState<unknown>): void {
    e.state = state
    publish(key, state)
  }

  async function load(key: string): Promise<void> {
    const e = entry(key)
    if (e.running) {
      e.again = true
      return
    }
    e.running = true
    const epoch = e.epoch
    set(key, e, { ...e.state, loading: true })
    try {
      const input = JSON.parse(key) as Input<M>
      const data = await (options.load?.(input) ?? call(method, input))
      if (epoch === e.epoch) set(key, e, { data, error: undefined, loading: false })
    } catch (cause) {
      const error = EnigmaError.from(cause)
      if (epoch === e.epoch) {
        const keep = hasCode(error, 'VAULT_LOCKED', 'NOT_FOUND') ? undefined : e.state.data
        set(key, e, { data: keep, error, loading: false })
      }
    } finally {
      e.running = false
      if (e.again) {
        e.again = false
        void load(key)
      }
    }
  }

  function stale(which: (key: string) => boolean): void {
    for (const [key, e] of entries) {
      if (!which(key)) continue
      if (e.users > 0) void load(key)
      else {
        e.epoch += 1
        e.state = EMPTY
        publish(key, undefined)
      }
    }
  }

  onNodeEvent((event) => {
    if (!options.on.includes(event.type)) return
    stale((key) => options.concerns?.(event, key) ?? true)
  })
  onReady(() => stale(() => true))

  const core: Core = {
    useStore,
    load: (key) => void load(key),
    attach: (key) => {
      const e = entry(key)
      e.users += 1
      if (e.state.data === undefined || e.state.error !== undefined) void load(key)
      return () => {
        e.users -= 1
        if (e.users > 0 || options.forget !== true) return
        e.epoch += 1
        e.state = EMPTY
        publish(key, undefined)
      }
    },
  }

  const self: Query<M> = {
    use: (input) => useEntry<Output<M>>(core, input === undefined ? undefined : JSON.stringify(input)),
    peek: (input) => entries.get(JSON.stringify(input))?.state.data as Output<M> | undefined,
    refresh: (input) => load(JSON.stringify(input)),
    patch: (input, change) => {
      const key = JSON.stringify(input)
      const e = entries.get(key)
      if (e?.state.data === undefined) return
      set(key, e, { ...e.state, data: change(e.state.data as Output<M>) })
    },
    clear: () => {
      for (const e of entries.values()) {
        e.epoch += 1
        e.state = EMPTY
      }
      useStore.setState({ entries: {} })
    },
  }
  everyQuery.add({
    clear: self.clear,
    revive: () => {
      for (const [key, e] of entries) if (e.users > 0 && e.state.data === undefined) void load(key)
    },
    whileLocked: options.whileLocked ?? false,
  })
  return self
}
