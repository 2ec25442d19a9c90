/** One piece of work at a time on each thing, in the order of the calls; works on different things overlap. */
export class Exclusive {
  readonly #last = new Map<string, Promise<unknown>>()

  /** The result of `work`, which begins when all that was asked for before under this name has ended, however it did. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name)
    const mine = before === undefined ? work() : before.then(work, work)
    this.#last.set(name, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name)
    }
  }
}
