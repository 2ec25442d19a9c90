import type { Confirmation } from '../../core/ipc/index.ts'
import type { BrowserClient } from '../host/browser.ts'
import type { Language } from '../host/confirm-text.ts'
import type { SupervisedNode } from './supervised.ts'

type Confirm = (ask: Confirmation, language: Language, signal: AbortSignal) => Promise<boolean>

interface Page {
  send(text: string): void
  drop(reason: string): void
}

/** Carries the frames of browser pages to a supervised node, and its questions to the owner. */
export class BrowserSupervisor {
  readonly #node: SupervisedNode
  readonly #pages = new Map<number, Page>()
  readonly #questions = new Map<number, AbortController>()
  #confirm: Confirm = () => Promise.resolve(false)
  #nextClient = 1
  #up = false

  constructor(node: SupervisedNode) {
    this.#node = node
    node.onExit(() => this.#down())
    node.onMessage((message) => {
      switch (message.type) {
        case 'listening':
          this.#up = true
          break
        case 'frame':
          this.#pages.get(message.client)?.send(message.text)
          break
        case 'drop':
          this.#pages.get(message.client)?.drop(message.reason)
          break
        case 'confirm':
          void this.#ask(message.confirmation, message.ask, message.language)
          break
        case 'withdraw':
          this.#questions.get(message.confirmation)?.abort()
          break
      }
    })
  }

  onConfirm(confirm: Confirm): void {
    this.#confirm = confirm
  }

  /** Undefined while the node does not run: the page tries again. */
  attach(page: Page): BrowserClient | undefined {
    if (!this.#up) return undefined
    const client = this.#nextClient++
    this.#pages.set(client, page)
    this.#node.post({ type: 'open', client })
    return {
      receive: (text) => this.#node.post({ type: 'frame', client, text }),
      close: () => {
        if (this.#pages.delete(client)) this.#node.post({ type: 'close', client })
      },
    }
  }

  /** Answers of a node that is gone mean nothing to the next one. */
  #down(): void {
    this.#up = false
    for (const question of this.#questions.values()) question.abort()
    this.#questions.clear()
    const pages = [...this.#pages.values()]
    this.#pages.clear()
    for (const page of pages) page.drop('the node ended')
  }

  async #ask(id: number, ask: Confirmation, language: Language): Promise<void> {
    const question = new AbortController()
    this.#questions.set(id, question)
    const accept = await this.#confirm(ask, language, question.signal).catch(() => false)
    if (this.#questions.get(id) !== question) return
    this.#questions.delete(id)
    this.#node.post({ type: 'decision', confirmation: id, accept })
  }
}
