import { EnigmaError } from '../base/errors.ts'
import { turn } from '../base/turns.ts'
import {
  type CallContext,
  type Input,
  isMethod,
  type MethodName,
  type NodeEvent,
  type NodeService,
  type Output,
  type Parsed,
  parseInput,
} from '../ipc/index.ts'
import { parseOutputInTurns } from '../ipc/turned.ts'
import type { Handlers, NodeContext } from './context.ts'

/** Dispatches the contract's methods to their handlers; input and output are checked against the contract. */
export class Service implements NodeService {
  readonly #handlers: Handlers
  readonly #context: NodeContext
  readonly #touched: (method: MethodName) => void

  constructor(handlers: Handlers, context: NodeContext, touched: (method: MethodName) => void) {
    this.#handlers = handlers
    this.#context = context
    this.#touched = touched
  }

  async call<M extends MethodName>(method: M, input: Input<M>, context: CallContext): Promise<Output<M>> {
    if (!isMethod(method))
      throw new EnigmaError('METHOD_UNKNOWN', `unknown method ${String(method).slice(0, 60)}`)
    // It may be long: a series has up to 20,000 points.
    await turn()
    const parsed = parseInput(method, input)
    const handler = this.#handlers[method] as
      | ((input: Parsed<M>, call: CallContext) => Promise<Output<M>>)
      | undefined
    if (handler === undefined)
      throw this.#context.online()
        ? new EnigmaError('UNSUPPORTED', `${method} is not served by this node`)
        : new EnigmaError('NOT_RUNNING', `${method}: the network is not reached yet`, {
            remedy: 'Wait a moment; the vault works without it.',
          })
    this.#touched(method)
    return parseOutputInTurns(method, await handler(parsed, context))
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    return this.#context.events.subscribe(listener)
  }
}
