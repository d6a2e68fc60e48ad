/** What the workloads ask of a side. A verb that a side hasn't got is a hole in its column. */
import { statSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import type { Order } from "../payload.ts"
import type { Contend } from "./contend.ts"

/**
 * Repeats a verb: so many clients at once, each making `each` calls one after another. A side repeats in its own
 * manner, by promises or in fibers, so that nothing but its own way is measured.
 */
export type Loop<Input> = (
  clients: number,
  each: number,
  input: (client: number, call: number) => Input
) => Promise<void>

/** Orders to append to a stream, whatever is there. */
export interface Appending {
  readonly stream: string
  readonly orders: ReadonlyArray<Order>
}

/** The same, or nothing where the stream hasn't come just as far as expected. */
export interface Expecting extends Appending {
  /** The last seq it takes the stream to have, or none. */
  readonly expected?: number
}

/** A stream to be read and folded, and how many events it holds. */
export interface Folding {
  readonly stream: string
  readonly events: number
}

/** Where a side keeps what it's given. */
export interface Place {
  /** A directory of its own. */
  readonly directory: string
  /** An empty database of its own, where the store is PostgreSQL. */
  readonly url: string
}

/** A key to be put or compared and set. */
export interface Putting {
  readonly key: string
  readonly value: Order
}

/** Keys from one on, in order. */
export interface Scanning {
  readonly from: string
  readonly limit: number
}

/** So many calls one after another, bare and with more around each. */
export interface Extra {
  readonly bare: (calls: number) => Promise<void>
  readonly more: (calls: number) => Promise<void>
}

/** A history that was imported. */
export interface History {
  /** Folds its projections from zero and checks what they say: how many events were read. */
  readonly project: () => Promise<number>
  /** The same from snapshots, which the first call makes. */
  readonly load?: () => Promise<number>
  readonly close: () => Promise<void>
}

/** How files of lines of JSON are imported. */
export interface Importing {
  /** Below it the stores that are files are made; and a file to be imported may be. */
  readonly directory: string
  /** Imports a file into a new store; gives what counts the events that are there then. */
  readonly run: (path: string) => Promise<() => Promise<number>>
}

/** The verbs of a log. */
export interface LogSide {
  /** Appends to a stream whatever is there. */
  readonly append?: Loop<Appending>
  /** Writers that each append one event that expects how far a stream has come, and try again where they lose. */
  readonly contend?: Contend
  /** Reads a stream from its first event and folds it. */
  readonly fold?: Loop<Folding>
  /** The same from a snapshot, which `saveSnapshot` has made. */
  readonly load?: Loop<Folding>
  readonly saveSnapshot?: (stream: string) => Promise<void>
  /** Imports files of lines of JSON. */
  readonly importLines?: Importing
  /** Imports the real history from a file. */
  readonly openHistory?: (path: string) => Promise<History>
  /** Appends one after another, by what can be put around them. */
  readonly extras?: Readonly<Record<string, Extra>>
  /** Reads all events, parsed, in pages. */
  readonly readAll?: (events: number) => Promise<void>
}

/** The verbs of what follows a log. */
export interface FeedSide {
  /** Hands all events to a handler that keeps its place, from the first on; ends when it has had so many. */
  readonly catchUp?: (events: number) => Promise<void>
  /** So many processors of so many partitions each go through all events, in one runner, with nothing to do. */
  readonly processors?: (count: number, partitions: number) => Promise<void>
  /** Builds a read model over a few keys, each event once, from zero. */
  readonly rebuild?: (events: number) => Promise<void>
  /** Hands every event from now on to `handle`; gives what stops it once it follows. */
  readonly follow?: (handle: (order: Order) => void) => Promise<() => Promise<void>>
  /** The same in another process; tells of each order how many milliseconds it took from when it was sent. */
  readonly followElsewhere?: (took: (millis: number) => void) => Promise<() => Promise<void>>
}

/** What opening a store took in a new process. */
export interface OpenedHere {
  /** From the call to the head being known, in milliseconds, the first time. */
  readonly time: number
  /** The same once more in the same process. */
  readonly warm: number
  /** How many bytes of the process are resident after the first time. */
  readonly resident: number
}

/** The same beside a process that has loaded nothing. */
export interface Opened extends Pick<OpenedHere, "time" | "warm"> {
  /** What is resident of the whole process above that of the empty one, in MiB. */
  readonly memory: number
}

/** What concerns a store as a whole; each is the last thing that its side is asked for. */
export interface WholeSide {
  /** Closes it; then each call opens it in a process of its own. */
  readonly reopened?: () => Promise<() => Promise<Opened>>
  /** Kills a process that writes, and opens what it left and appends: how many milliseconds that took. */
  readonly recovered?: () => Promise<number>
}

/** The verbs of a kv. */
export interface KvSide {
  readonly get?: Loop<string>
  readonly put?: Loop<Putting>
  /** Reads a key and puts it if it's unchanged. */
  readonly cas?: Loop<Putting>
  readonly scan?: Loop<Scanning>
}

/** One store, opened by one library or by hand. */
export interface Side extends LogSide, FeedSide, KvSide, WholeSide {
  /** What a reader has to know to compare it fairly. */
  readonly note?: string
  /**
   * `false` where it answers before what it was given would outlast a loss of power, on a store that could; `"alone"`
   * where it does so for calls that are made at once.
   */
  readonly durable?: boolean | "alone"
  /** How much it keeps on the disk, once it's closed. */
  readonly bytes?: () => Promise<number>
  /** Reads the position of its last event: the first thing that is read of a store that was opened. */
  readonly head?: () => Promise<number>
  readonly close: () => Promise<void>
}

/** What the sides by hand are called. */
export const byHand = {
  sqlite: "better-sqlite3 by hand",
  postgres: "pg by hand",
  file: "fs by hand",
  memory: "Map and arrays by hand"
} as const

/** Opens a side at an empty place, or at one that it has left. */
export type OpenSide = (place: Place) => Promise<Side>

const unchecked = (): void => undefined

/** Repeats a verb that answers with a promise; `check` throws where an answer isn't what it has to be. */
export const byPromise = <Input, Answer>(
  verb: (input: Input) => Promise<Answer>,
  check: (answer: Answer) => void = unchecked
): Loop<Input> =>
async (clients, each, input) => {
  const client = async (_: unknown, number: number) => {
    for (let call = 0; call < each; call++) check(await verb(input(number, call)))
  }
  await Promise.all(Array.from({ length: clients }, client))
}

/** Throws where a key that was put has no value. */
export const checkFound = (value: unknown): void => {
  if (value === undefined || value === null) throw new Error("nothing is found under a key that was put")
}

/** Throws where a compare-and-set lost although nobody else writes its key. */
export const checkWon = (won: boolean): void => {
  if (!won) throw new Error("a compare-and-set lost that nobody contended with")
}

/** The bytes of the files below a directory; one that goes meanwhile counts nothing. */
export const fileBytes = async (directory: string): Promise<number> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile())
    .reduce(
      (sum, { name, parentPath }) => sum + (statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0),
      0
    )
}
