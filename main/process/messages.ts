import type { Confirmation, ErrorObject } from '../../core/ipc/index.ts'

/** From a supervisor to the node process it started. Frames travel as JSON text, or over their own port. */
export type ToNode =
  | { type: 'open'; client: number }
  | { type: 'frame'; client: number; text: string }
  | { type: 'close'; client: number }
  | { type: 'decision'; confirmation: number; accept: boolean }
  | { type: 'stop' }

/** From a node process to its supervisor. */
export type FromNode =
  | { type: 'listening'; socket: string; nodeId: string; addresses: string[] }
  | { type: 'ready'; nodeId: string; addresses: string[] }
  | { type: 'failed'; error: ErrorObject }
  | { type: 'frame'; client: number; text: string }
  | { type: 'drop'; client: number; reason: string }
  | { type: 'confirm'; confirmation: number; ask: Confirmation; language: 'en' | 'zh' }
  | { type: 'withdraw'; confirmation: number }
