/** A handle's connections: found among the hosts, checked to lead to the store that was opened, replaced when lost. */
import type { BackendError } from "@persist/core"
import { Corrupt, isStoreError, Position, Unavailable } from "@persist/core"
import type { Settings } from "./config.ts"
import { classify, closed, isForeignStatement, isReadOnly, Lost, stateOf } from "./error.ts"
import { Link, type Session } from "./link.ts"
import { Pool } from "./pool.ts"
import { type Queries, queriesOf } from "./queries.ts"

/** Which store a handle was opened on, and how far it has seen it. */
export class Identity {
  readonly incarnation: string
  /** The highest head that anybody was told of. */
  floor = 0

  constructor(incarnation: string) {
    this.incarnation = incarnation
  }

  /** Takes note of a head that is about to be told. Throws `Below` for one under the floor as it was when asked for. */
  see(head: number, floor: number): Position {
    if (head < floor) throw new Below(floor, head)
    this.floor = Math.max(this.floor, head)
    return Position(head)
  }
}

/** A server doesn't have all that was seen before: it lags, or the store's history went back. */
class Below extends Error {
  readonly floor: number
  readonly head: number

  constructor(floor: number, head: number) {
    super(`the head ${head} is below ${floor}`)
    this.floor = floor
    this.head = head
  }
}

const retryInterval = 50

/** The connections of one handle. */
export class Handle {
  readonly settings: Settings
  readonly queries: Queries
  /** Writes: one, since a batch waits for the one before it. */
  private readonly writers: Pool
  private readonly readers: Pool
  private identity: Identity | undefined
  private preferred = 0
  private named = true
  private shut = false

  constructor(settings: Settings) {
    this.settings = settings
    this.queries = queriesOf(settings.quotedSchema)
    const connect = () => this.connect(Date.now() + settings.reconnectWithin)
    this.writers = new Pool(connect, 1, settings.timeout)
    this.readers = new Pool(connect, settings.readers, settings.timeout)
  }

  /** Makes the handle one on this store: every further connection has to lead there. */
  settleOn(identity: Identity): void {
    this.identity = identity
  }

  /** Takes over a connection that was made for opening. */
  adopt(link: Link): void {
    if (this.settings.readonly) this.readers.adopt(link)
    else this.writers.adopt(link)
  }

  /** A connection to the first host that will do, without trying for longer than it takes to ask each of them once. */
  connectOnce(): Promise<Link> {
    return this.connect(0)
  }

  /** Runs a job on the connection for writing. */
  write<A>(job: (session: Session) => Promise<A>): Promise<A> {
    return this.writers.use("commit", (link) => this.watch(link, job(link)))
  }

  /** Runs what may be run twice, on a connection for reading; again where that was lost, or others were in the way. */
  async again<A>(operation: string, job: (session: Session) => Promise<A>): Promise<A> {
    const deadline = Date.now() + this.settings.reconnectWithin
    while (true) {
      try {
        return await this.readers.use(operation, (link) => this.watch(link, job(link)))
      } catch (cause) {
        if (this.shut || !(mayPass(cause) || wasInTheWay(cause)) || Date.now() >= deadline) throw cause
      }
    }
  }

  /** A connection of one's own, for as long as one likes. */
  lend(): Promise<Link> {
    return this.connect(Date.now() + this.settings.reconnectWithin)
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.shut = true
    await Promise.all([this.writers.close(), this.readers.close()])
  }

  private async watch<A>(link: Link, job: Promise<A>): Promise<A> {
    try {
      return await job
    } catch (cause) {
      if (cause instanceof Below) throw this.lacking(link, cause)
      // A server that has come to be a standby, and a pooler that was taken for none: the next one is another.
      if (isReadOnly(cause) || isForeignStatement(cause)) link.destroy()
      if (isForeignStatement(cause)) this.named = false
      throw cause
    }
  }

  // A standby's connection is given up: another server may have it, or this one may have been promoted since.
  private lacking(link: Link, { floor, head }: Below): BackendError {
    if (!link.facts.inRecovery) return wentBack(floor, head)
    link.destroy()
    return behind(floor, head)
  }

  private async connect(deadline: number): Promise<Link> {
    while (true) {
      try {
        return await this.connectToAny()
      } catch (cause) {
        if (this.shut) throw closed("connect")
        if (!mayPass(cause) || Date.now() >= deadline) throw cause
      }
      await new Promise((resolve) => {
        setTimeout(resolve, retryInterval)
      })
    }
  }

  // From the host that did last, each once; the last one's refusal is what is told. Whatever is lost here, nothing of
  // what the connection was wanted for had been sent: that is told by its being an error of the store's already.
  private async connectToAny(): Promise<Link> {
    const { hosts } = this.settings
    let refusal: unknown
    for (let n = 0; n < hosts.length; n++) {
      const place = (this.preferred + n) % hosts.length
      const host = hosts[place]
      if (host === undefined) continue
      try {
        const link = await Link.connect(host, this.settings, () => this.named && link.facts.direct)
        await this.check(link)
        this.preferred = place
        return link
      } catch (thrown) {
        const cause = classify("connect", thrown)
        if (!mayPass(cause)) throw cause
        refusal = cause
      }
    }
    throw refusal
  }

  private async check(link: Link): Promise<void> {
    const { readonly } = this.settings
    try {
      if (!readonly && link.facts.inRecovery) throw standby()
      if (this.identity !== undefined) await this.checkIdentity(link, this.identity)
    } catch (cause) {
      link.destroy()
      throw cause
    }
  }

  private async checkIdentity(link: Link, { floor, incarnation }: Identity): Promise<void> {
    const [row] = await link.run(this.queries.identity, [])
    if (row?.[0] !== incarnation) throw replaced()
    const head = Number(row[1])
    if (head < floor) throw this.lacking(link, new Below(floor, head))
  }
}

/** Whether trying again, perhaps elsewhere, may help: connections, servers that start or stop, standbys. */
const mayPass = (cause: unknown): boolean =>
  cause instanceof Lost || (isStoreError(cause) && cause._tag === "Unavailable" && cause.operation === "connect") ||
  /^(08|57P|53300)/.test(stateOf(cause) ?? "")

/** Whether the server chose a statement to end so that others can go on, as a standby does with long reads. */
const wasInTheWay = (cause: unknown): boolean => /^40(001|P01)/.test(stateOf(cause) ?? "")

const standby = () =>
  new Unavailable({
    operation: "connect",
    reason: "the server is a standby, which can't be written to",
    remedy: "name the primary among the hosts, or open the store with readonly"
  })

const behind = (floor: number, head: number) =>
  new Unavailable({
    operation: "connect",
    reason: `the standby has come to position ${head}, and ${floor} was read before`,
    remedy: "wait until it has caught up"
  })

const replaced = () =>
  new Corrupt({
    where: "the schema",
    reason: "another store is there than the one that was opened, or it was given another incarnation",
    remedy: "open it again"
  })

const wentBack = (floor: number, head: number): Corrupt =>
  new Corrupt({
    where: "the schema",
    reason: `its history went back from position ${floor} to ${head}: a backup was restored, ` +
      "or a standby took over that lacked commits",
    remedy: "call renewIncarnation, then open the store again"
  })
