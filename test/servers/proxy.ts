/**
 * A network that fails on demand: a TCP proxy that understands PostgreSQL's protocol well enough to cut a connection
 * at any of its messages, or at any byte.
 */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { type Boundary, makeFramer } from "./frames.ts"
import { lasting } from "./lasting.ts"
import { onPort } from "./postgres.ts"

/** Whose words are meant: `client` are those on their way to the server. */
export type Direction = "client" | "server"

/** How the client loses its connection: at once by a reset, or by an end that looks orderly. */
export type Loss = "reset" | "end"

/** Where a connection is cut: around the nth message from 1, or after n bytes. */
export interface Cut {
  readonly of: Direction
  readonly at: "before" | "after" | "byte"
  readonly n: number
  readonly loss?: Loss
  /** Keeps what the client said after the cut on its way to the server, which still listens: see `deliver`. */
  readonly late?: boolean
  /** Counts only on the connection on which a client says this, from there on; otherwise over all connections. */
  readonly marker?: string
}

/** A message that passed: `>` to the server or `<` to the client, and its type, as in `>Q` or `<Z`. */
export type Passed = string

/** A proxy in front of a server. Whatever it is told counts from then on. */
export interface Proxy {
  readonly port: number
  /** The same URL by way of the proxy. */
  readonly through: (url: string) => string
  /** Cuts one connection, once: what lies before the cut arrives, nothing after it does. Replaces an earlier cut. */
  readonly cut: (where: Cut) => Effect.Effect<void>
  /** Whether the cut was made by now. */
  readonly isCut: Effect.Effect<boolean>
  /** Whether the cut was made; if not, it isn't made any more. */
  readonly wasCut: Effect.Effect<boolean>
  /** The messages that passed since it was asked before. */
  readonly passed: Effect.Effect<ReadonlyArray<Passed>>
  /** Lets what was late arrive. */
  readonly deliver: Effect.Effect<void>
  /** Cuts every connection there is. */
  readonly cutAll: (loss?: Loss) => Effect.Effect<void>
  /** Lets nothing through, as a network that is gone: connections stay, new ones are taken and lead nowhere. */
  readonly hold: Effect.Effect<void>
  /** Lets everything through again, what was held first. */
  readonly heal: Effect.Effect<void>
  /** Keeps whatever passes for so many milliseconds. */
  readonly delay: (ms: number) => Effect.Effect<void>
  /** Leads new connections to the server at this port; those that are there stay with theirs. */
  readonly lead: (port: number) => Effect.Effect<void>
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
}

/** A cut that is still to be made. */
interface Armed {
  readonly where: Cut
  counted: number
  /** The connection it is for; `undefined` where it's for any. */
  only: Pair | undefined
}

/** What a proxy is told to do, and what it has seen. */
interface Line {
  target: number
  delay: number
  armed: Armed | undefined
  deliver: () => void
  passed: Array<Passed>
  /** Ends when whatever is held may pass. */
  open: Promise<void>
  heal: () => void
  readonly pairs: Set<Pair>
  /** All that are open still, of pairs that were cut too. */
  readonly sockets: Set<Socket>
}

// Of a connection that is being ended in order, a reset would be refused, and its handle never closed.
const reset = (socket: Socket): void => {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

const lose = ({ client, server }: Pair, loss: Loss = "reset"): void => {
  // The server gets all that was sent to it before it learns that nobody is there.
  server.end()
  if (loss === "reset") reset(client)
  else client.end()
}

/** How many bytes of a chunk come before the cut; `undefined` where the cut isn't in it. */
const placeIn = (armed: Armed, length: number, boundaries: ReadonlyArray<Boundary>): number | undefined => {
  const { at, n } = armed.where
  if (at === "byte") {
    const left = n - armed.counted
    armed.counted += length
    return left <= length ? left : undefined
  }
  for (const { _tag, offset } of boundaries) {
    if (_tag === "Begins") armed.counted++
    if (armed.counted === n && (_tag === "Begins") === (at === "before")) return offset
  }
  return undefined
}

/** The cut that a chunk counts for, if any. */
const armedFor = ({ armed }: Line, pair: Pair, of: Direction, chunk: Buffer): Armed | undefined => {
  if (armed === undefined) return undefined
  const { marker, of: direction } = armed.where
  if (marker !== undefined && of === "client" && armed.only === undefined && chunk.includes(marker)) armed.only = pair
  return of === direction && (marker === undefined || armed.only === pair) ? armed : undefined
}

const pump = async (line: Line, pair: Pair, of: Direction): Promise<void> => {
  const [from, to] = of === "client" ? [pair.client, pair.server] : [pair.server, pair.client]
  const frame = makeFramer(of)
  const chunks: AsyncIterable<Buffer> = from.iterator({ destroyOnReturn: false })
  for await (const chunk of chunks) {
    if (line.delay > 0) await lasting(line.delay)
    await line.open
    const boundaries = frame(chunk)
    const armed = armedFor(line, pair, of, chunk)
    const place = armed && placeIn(armed, chunk.length, boundaries)
    for (const { _tag, offset, type } of boundaries) {
      if (_tag === "Ends" && offset <= (place ?? offset)) line.passed.push(`${of === "client" ? ">" : "<"}${type}`)
    }
    const part = chunk.subarray(0, place)
    if (part.length > 0 && !to.write(part)) await once(to, "drain")
    if (place !== undefined) {
      line.armed = undefined
      if (armed?.where.late !== true) return lose(pair, armed?.where.loss)
      line.deliver = () => void to.write(chunk.subarray(place))
      return reset(from)
    }
  }
  to.end()
}

const join = (line: Line, client: Socket): void => {
  const pair = { client, server: connect({ port: line.target, host: "127.0.0.1", noDelay: true }) }
  line.pairs.add(pair)
  for (const [socket, other] of [[pair.client, pair.server], [pair.server, pair.client]] as const) {
    // What befalls one side befalls the other: an error becomes a reset.
    socket.on("error", () => reset(other))
    line.sockets.add(socket)
    socket.on("close", () => {
      line.pairs.delete(pair)
      line.sockets.delete(socket)
    })
  }
  for (const direction of ["client", "server"] as const) {
    pump(line, pair, direction).catch(() => {}) // The sockets' own errors were heard above.
  }
}

const hold = (line: Line): void => {
  line.heal()
  line.open = new Promise((resolve) => {
    line.heal = resolve
  })
}

/** Puts a proxy in front of the server at a port of this machine; it ends with the scope. */
export const startProxy = (target: number): Effect.Effect<Proxy, never, Scope> =>
  Effect.gen(function*() {
    const line: Line = {
      target,
      delay: 0,
      armed: undefined,
      deliver: () => {},
      passed: [],
      open: Promise.resolve(),
      heal: () => {},
      pairs: new Set(),
      sockets: new Set()
    }
    const listener = createServer({ noDelay: true }, (client) => join(line, client))
    yield* Effect.acquireRelease(
      Effect.promise(() => once(listener.listen(0, "127.0.0.1"), "listening")),
      () =>
        Effect.sync(() => {
          listener.close()
          line.sockets.forEach(reset)
        })
    )
    const address = listener.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return {
      port,
      through: (url) => onPort(url, port),
      cut: (where) => Effect.sync(() => (line.armed = { where, counted: 0, only: undefined })),
      isCut: Effect.sync(() => line.armed === undefined),
      wasCut: Effect.sync(() => {
        const { armed } = line
        line.armed = undefined
        return armed === undefined
      }),
      passed: Effect.sync(() => line.passed.splice(0)),
      deliver: Effect.sync(() => line.deliver()),
      cutAll: (loss) => Effect.sync(() => line.pairs.forEach((pair) => lose(pair, loss))),
      hold: Effect.sync(() => hold(line)),
      heal: Effect.sync(() => line.heal()),
      delay: (ms) => Effect.sync(() => (line.delay = ms)),
      lead: (to) => Effect.sync(() => (line.target = to))
    }
  })
