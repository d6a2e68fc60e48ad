/** A few connections shared by whoever asks, each by one at a time; made when needed, replaced when they break. */
import { Unavailable } from "@persist/core"
import { closed } from "./error.ts"
import type { Link } from "./link.ts"

interface Waiting {
  readonly take: (link: Link) => void
  readonly fail: (cause: unknown) => void
  /** Whether it has given up. */
  gone: boolean
}

/** At most `size` connections, made by `connect`; whoever finds all of them busy waits in turn. */
export class Pool {
  private readonly connect: () => Promise<Link>
  private readonly size: number
  private readonly patience: number
  private readonly idle: Array<Link> = []
  private readonly all = new Set<Link>()
  private readonly waiting: Array<Waiting> = []
  private open = 0
  private closed = false
  /** What the last connection failed with that couldn't be made, and when, by the monotonic clock. */
  private refused: { readonly at: number; readonly cause: unknown } | undefined
  /** When the last one of all was lost, by the same clock. */
  private emptySince = 0

  constructor(connect: () => Promise<Link>, size: number, patience: number) {
    this.connect = connect
    this.size = size
    this.patience = patience
  }

  /**
   * Lends a connection until the promise settles. Rejects with `Unavailable` where none gets free in time, and with
   * what connecting failed with where that is why there is none.
   */
  use<A>(operation: string, job: (link: Link) => Promise<A>): Promise<A> {
    // At once where one is idle: a statement is on its way before whoever asked does anything else.
    const idle = this.closed ? undefined : this.grab()
    return idle === undefined ? this.take(operation).then((link) => this.lend(link, job)) : this.lend(idle, job)
  }

  private async lend<A>(link: Link, job: (link: Link) => Promise<A>): Promise<A> {
    try {
      return await job(link)
    } finally {
      this.give(link)
    }
  }

  /** Adds a connection that was made elsewhere. */
  adopt(link: Link): void {
    this.all.add(link)
    this.open++
    this.give(link)
  }

  /** Ends all connections; whoever waits is told. */
  async close(): Promise<void> {
    this.closed = true
    for (const { fail } of this.waiting.splice(0)) fail(closed("wait"))
    await Promise.all(Array.from(this.all, (link) => link.close()))
  }

  private async take(operation: string): Promise<Link> {
    if (this.closed) throw closed(operation)
    return this.open < this.size ? await this.make(operation) : await this.wait(operation)
  }

  private grab(): Link | undefined {
    for (let link = this.idle.pop(); link !== undefined; link = this.idle.pop()) {
      if (!link.broken) return link
      this.drop(link)
    }
    return undefined
  }

  private async make(operation: string): Promise<Link> {
    this.open++
    try {
      const link = await this.connect()
      if (this.closed) {
        await link.close()
        throw closed(operation)
      }
      this.all.add(link)
      return link
    } catch (cause) {
      this.refused = { at: performance.now(), cause }
      this.open--
      this.next()
      throw cause
    }
  }

  private wait(operation: string): Promise<Link> {
    const since = performance.now()
    return new Promise((resolve, reject) => {
      // A plain timer, not the Clock: it waits for a server, which a test's clock doesn't govern.
      const timer = setTimeout(() => {
        waiting.gone = true
        const place = this.waiting.indexOf(waiting)
        if (place >= 0) this.waiting.splice(place, 1)
        reject(this.inVain(operation, since))
      }, this.patience)
      const waiting: Waiting = {
        gone: false,
        take: (link) => {
          clearTimeout(timer)
          resolve(link)
        },
        fail: (cause) => {
          clearTimeout(timer)
          reject(cause)
        }
      }
      this.waiting.push(waiting)
    })
  }

  // Why whoever has waited since then has none: not all could be made, nobody can say yet why there is none, or all
  // were busy, as for most of the time they were where the last was lost only lately.
  private inVain(operation: string, since: number): unknown {
    const { refused } = this
    if (refused !== undefined && refused.at >= since && this.all.size < this.size) return refused.cause
    if (this.all.size === 0 && performance.now() - this.emptySince >= this.patience / 2) {
      return new Unavailable({
        operation,
        reason: `no connection could be made within ${this.patience} ms`,
        remedy: "see whether the server runs and can be reached"
      })
    }
    return new Unavailable({
      operation,
      reason: `all ${this.size} connections were busy for ${this.patience} ms`,
      remedy: "try again, or raise readers"
    })
  }

  private give(link: Link): void {
    if (link.broken || this.closed) {
      this.drop(link)
      return this.next()
    }
    const first = this.waiting.shift()
    if (first === undefined) this.idle.push(link)
    else first.take(link)
  }

  private drop(link: Link): void {
    if (!this.all.delete(link)) return
    this.open--
    if (this.all.size === 0) this.emptySince = performance.now()
  }

  // Where a connection broke while somebody waits for one, it's replaced for them.
  private next(): void {
    const first = this.closed ? undefined : this.waiting.shift()
    if (first === undefined) return
    this.make("wait").then((link) => first.gone ? this.give(link) : first.take(link), first.fail)
  }
}
