/** One connection: made, found out about, asked one statement at a time, and given up when it no longer answers. */
import { Denied, isStoreError } from "@persist/core"
import { Socket } from "node:net"
import { Client, type ClientConfig } from "pg"
import { Asking, type Row, type Statement, type Value } from "./asking.ts"
import type { Settings } from "./config.ts"
import { Lacking, Lost, stateOf } from "./error.ts"
import { askFacts, type Facts } from "./facts.ts"
import { Names } from "./names.ts"
import { quoted } from "./quote.ts"
import type { Host } from "./url.ts"

/** Something that statements can be put to: a connection of ours, or a transaction of the caller's. */
export interface Session {
  /** The names it remembers; `undefined` where it can't know that one server answers all its statements. */
  readonly names: Names | undefined
  /**
   * Runs a statement. Rejects with `Lost` where the connection ends or doesn't answer, and with the driver's error.
   * A `final` one commits: if the server warns, it isn't certain whether that reached what it should have.
   */
  readonly run: (statement: Statement, values: ReadonlyArray<Value>, final?: boolean) => Promise<ReadonlyArray<Row>>
}

// Rejects with `Lost` after so many milliseconds without an answer, when `late` is called.
const answer = (
  client: Client,
  statement: Statement,
  values: ReadonlyArray<Value>,
  timeout: number,
  late: () => void
): Promise<ReadonlyArray<Row>> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      late()
      reject(new Lost(`no answer within ${timeout} ms`, true))
    }, timeout)
    client.query(
      new Asking(statement, values, (rows) => {
        clearTimeout(timer)
        resolve(rows)
      }, (cause) => {
        clearTimeout(timer)
        reject(cause)
      })
    )
  })

// A statement is planned anew at these seconds of a connection's life, and then no more: by then the server's
// statistics follow the tables' growth. Without it a plan that was made for empty tables could last.
const planAges = [1, 5, 20, 80]

/** A connection to one server. */
export class Link implements Session {
  readonly facts: Facts
  readonly names: Names | undefined
  private readonly client: Client
  private readonly settings: Settings
  private readonly named: () => boolean
  private readonly born = performance.now()
  private warned = false
  private ended = false

  private constructor(client: Client, facts: Facts, settings: Settings, named: () => boolean) {
    this.client = client
    this.facts = facts
    this.names = facts.direct ? new Names() : undefined
    this.settings = settings
    this.named = named
    const end = () => {
      this.ended = true
    }
    client.on("error", end)
    client.on("end", end)
    // By code: 01000 is a warning of any kind, 57P01 comes as one where a wait for standbys is cut short.
    client.on("notice", ({ code }) => {
      if (code === "01000" || code === "57P01") this.warned = true
    })
  }

  /** Connects to a host and asks what it is; `named` tells at each statement whether it may be prepared by name. */
  static async connect(host: Host, settings: Settings, named: () => boolean): Promise<Link> {
    const client = new Client(configOf(host, settings))
    let lost: unknown
    // Whoever waits for an answer is told as well; without this the process would end.
    client.on("error", (cause) => {
      lost = cause
    })
    try {
      await client.connect()
      const ask = (text: string) =>
        answer(client, { text }, [], settings.timeout, () => client.connection.stream.destroy())
      const facts = await askFacts(ask, processOf(client), settings.direct)
      if (lost === undefined) return new Link(client, facts, settings, named)
    } catch (cause) {
      client.connection.stream.destroy()
      if (stateOf(cause) === "3D000") throw noDatabase(client.database)
      throw stateOf(cause) === undefined && !isStoreError(cause) ? unreachable(host, settings, cause) : cause
    }
    throw unreachable(host, settings, lost)
  }

  /** Whether it can't be used any more. */
  get broken(): boolean {
    return this.ended
  }

  readonly run = async ({ name, text }: Statement, values: ReadonlyArray<Value>, final = false) => {
    if (this.ended) throw new Lost("the connection had ended", false)
    this.keepAlive(true)
    this.warned = false
    const named = name !== undefined && this.named() ? this.nameOf(name) : undefined
    try {
      const rows = await this.ask({ name: named, text }, values)
      if (final && this.warned) {
        throw new Lost("the server warns that the commit may not have reached its standbys", true)
      }
      return rows
    } catch (cause) {
      if (cause instanceof Lost || (stateOf(cause) !== undefined && !(final && await this.hasEnded()))) {
        throw stateOf(cause) === "42501" ? new Lacking(this.facts.user, this.settings.quotedSchema, cause) : cause
      }
      this.destroy()
      throw new Lost("the connection was lost", true, cause)
    } finally {
      this.keepAlive(false)
    }
  }

  /** Calls back for every notification, from now on. */
  onNotification(heard: () => void): void {
    this.client.on("notification", heard)
  }

  /** Calls back when the connection ends. */
  onEnd(ended: () => void): void {
    this.client.on("end", ended)
  }

  /** Ends it without another word. */
  destroy(): void {
    this.ended = true
    this.client.connection.stream.destroy()
  }

  /** Takes leave of the server and waits until the connection has ended, or for as long as for an answer. */
  async close(): Promise<void> {
    this.ended = true
    this.keepAlive(true)
    const timer = setTimeout(() => this.destroy(), this.settings.timeout)
    await this.client.end()
    clearTimeout(timer)
  }

  private ask(statement: Statement, values: ReadonlyArray<Value>): Promise<ReadonlyArray<Row>> {
    return answer(this.client, statement, values, this.settings.timeout, this.late)
  }

  private readonly late = (): void => this.destroy()

  // An error that the session survives has undone the transaction; one that has ended it, as when the log can't be
  // flushed, says nothing of that, whatever its code.
  private hasEnded(): Promise<boolean> {
    return this.ask({ text: "" }, []).then(() => false, () => true)
  }

  // Only a connection that waits for an answer keeps the process alive.
  private keepAlive(busy: boolean): void {
    const { stream } = this.client.connection
    if (!(stream instanceof Socket)) return
    if (busy) stream.ref()
    else stream.unref()
  }

  private nameOf(name: string): string {
    const age = (performance.now() - this.born) / 1000
    return `persist_${name}_${planAges.filter((seconds) => age >= seconds).length}`
  }
}

const configOf = ({ host, port }: Host, { application, database, password, timeout, tls, user }: Settings) => {
  const config: ClientConfig = {
    host,
    port,
    ssl: tls,
    application_name: application,
    keepAlive: true,
    connectionTimeoutMillis: timeout
  }
  // What isn't said is left out, for the driver to look for in the environment.
  if (user !== undefined) config.user = user
  if (password !== undefined) config.password = password
  if (database !== undefined) config.database = database
  return config
}

// The driver keeps it, and its types don't say so.
const processOf = (client: Client): number | undefined =>
  "processID" in client && typeof client.processID === "number" ? client.processID : undefined

const noDatabase = (name: string | undefined): Denied =>
  new Denied({
    operation: "connect",
    reason: `there is no database ${quoted(name ?? "")} (3D000)`,
    remedy: "create it, or correct the URL"
  })

const unreachable = ({ host, port }: Host, { tls }: Settings, cause: unknown): Lost => {
  const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : ""
  const encrypted = tls === false ? "" : " by TLS"
  return new Lost(`${host}:${port} can't be reached${encrypted}${code}`, false, cause)
}
