/** Wake-ups: commits of this handle at once, those of others by notification, and by looking in case those get lost. */
import { makeSignal, type Signal } from "@persist/core"
import type { Link, Session } from "./link.ts"
import { lockClasses, storeOid } from "./lock-sql.ts"
import { quoted } from "./quote.ts"

/** A signal that ends with the handle. */
export interface Changes extends Signal {
  /** Tells the listeners of this handle that it committed, and soon those of others, where there are any. */
  readonly committed: (listened: boolean) => void
  /** Stops listening and wakes all who listen, so that they meet the closed handle. */
  readonly close: () => void
}

/** What listening needs of a handle. */
export interface Listening {
  readonly channel: string
  /** The schema's name as SQL has it. */
  readonly schema: string
  readonly pollInterval: number
  /** Reads the head; rejects where it can't be read. */
  readonly look: () => Promise<number>
  /** A connection of its own to listen on. */
  readonly lend: () => Promise<Link>
  /** Runs something on a connection that is lent for it. */
  readonly use: (job: (session: Session) => Promise<unknown>) => Promise<unknown>
}

// At most so often does a handle notify others, in milliseconds: every notification is a transaction.
const notifyEvery = 10

/** The channel that the handles of a store notify each other on. */
export const channelOf = (incarnation: string): string => `persist ${incarnation}`

/** Notifies in a transaction of its own, which need not last. */
export const notifyStatement = {
  name: "notify",
  text: "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, '')"
}

/** Makes the `changes` of a handle. It listens and looks only while somebody listens to it. */
export const makeChanges = (listening: Listening): Changes => {
  const teller = makeTeller(listening)
  const ear = new Ear(listening, () => signal.notify())
  const signal = makeSignal((listeners) => listeners > 0 ? ear.open() : ear.shut())
  return {
    ...signal,
    committed: (listened) => {
      signal.notify()
      if (listened) teller.tell()
    },
    close: () => {
      teller.close()
      ear.close()
      signal.notify()
    }
  }
}

/** Notices the commits of others, between `open` and `shut`. */
class Ear {
  private readonly listening: Listening
  private readonly notify: () => void
  private timer: NodeJS.Timeout | undefined
  private link: Link | undefined
  private seen: number | undefined
  private looking = false
  private closed = false
  /** Counts openings and shuttings: what was begun in another round is of no use any more. */
  private round = 0

  constructor(listening: Listening, notify: () => void) {
    this.listening = listening
    this.notify = notify
  }

  open(): void {
    if (this.timer !== undefined || this.closed) return
    const mine = ++this.round
    // Plain timers, not the Clock: they wait for other processes, which a test's clock doesn't govern.
    this.timer = setInterval(() => void this.look(), this.listening.pollInterval)
    this.timer.unref()
    void this.look()
    void this.listen(mine)
  }

  shut(): void {
    clearInterval(this.timer)
    this.timer = undefined
    this.round++
    this.link?.destroy()
    this.link = undefined
  }

  close(): void {
    this.closed = true
    this.shut()
  }

  // A store that can't be looked at counts as changed: who listens then reads, and is told what is wrong.
  private async look(): Promise<void> {
    if (this.looking) return
    this.looking = true
    const head = await this.listening.look().catch(() => undefined)
    this.looking = false
    if (head !== undefined && head === this.seen) return
    this.seen = head
    this.notify()
  }

  private async listen(mine: number): Promise<void> {
    const { channel, lend, schema } = this.listening
    const link = await lend().catch(() => undefined)
    if (link === undefined) return this.listenAgain(mine)
    // Behind a pooler the connection to the server changes, and a standby notifies nobody.
    if (mine !== this.round || !link.facts.direct || link.facts.inRecovery) return link.destroy()
    this.link = link
    link.onNotification(this.notify)
    link.onEnd(() => this.listenAgain(mine))
    // The lock tells whoever commits from now on that somebody listens.
    const present = `SELECT pg_advisory_lock_shared(${lockClasses.listening}, ${storeOid(schema)})`
    await link.run({ text: `${present}; LISTEN ${quoted(channel)}` }, []).catch(() => link.destroy())
    // What was committed before the server listened came without a notification.
    this.notify()
  }

  private listenAgain(mine: number): void {
    if (mine !== this.round) return
    setTimeout(() => mine === this.round ? void this.listen(mine) : undefined, this.listening.pollInterval).unref()
  }
}

// Tells other handles of commits, some of them at once.
const makeTeller = ({ channel, use }: Listening) => {
  let pending: NodeJS.Timeout | undefined
  let told = 0
  let closed = false
  const send = (): void => {
    pending = undefined
    told = performance.now()
    // A notification that fails is made up for by looking.
    use((session) => session.run(notifyStatement, [channel])).catch(() => undefined)
  }
  return {
    tell: (): void => {
      if (pending !== undefined || closed) return
      const wait = told + notifyEvery - performance.now()
      if (wait <= 0) send()
      else pending = setTimeout(send, wait)
    },
    close: (): void => {
      closed = true
      clearTimeout(pending)
    }
  }
}
