import { setFlagsFromString } from 'node:v8'

/**
 * For processes that send and receive messages of megabytes; called once, at the start. The engine otherwise collects all garbage
 * whenever 64 MiB of buffers have come and gone, which costs a third of the time of a computation; with this it weighs them
 * against its heap as later versions do by themselves.
 */
export function weighBuffersWithHeap(): void {
  // Another version's engine may not know the flag, and says so on standard error.
  if (process.versions.v8.startsWith('13.')) setFlagsFromString('--external-memory-accounted-in-global-limit')
}
