/** What a child tells its parent, a line each, in the order in which it happens. */
import type { Op, Reply } from "@persist/conformance"
import type { Commit, Committed, Conflict, Durability, StoredEntry, StoredEvent, Tombstone } from "@persist/core"
import { copyPayload } from "@persist/core"
import { createHash } from "node:crypto"
import { writeSync } from "node:fs"

/** An event as a reader was given it, its content as a digest. */
export type SeenEvent = readonly [position: number, stream: string, seq: number, digest: string]

/** A key as a reader was given it. */
export type SeenEntry = readonly [namespace: string, key: string, revision: number, digest: string]

/** What a backend answered for one commit; of a refusal only that there was one. */
export type Answer = Committed | Conflict | { readonly _tag: "Refused" }

/** One thing that a child says. A batch is numbered by its child. */
export type Message =
  /** The store is open. */
  | {
    readonly _tag: "Opened"
    readonly incarnation: string
    readonly head: number
    readonly durability: Durability
  }
  /** The store can't be opened. */
  | { readonly _tag: "Shut"; readonly error: string; readonly message: string }
  /** Said before the backend is asked to commit. */
  | { readonly _tag: "Sent"; readonly batch: number; readonly commits: ReadonlyArray<Commit> }
  | { readonly _tag: "Answered"; readonly batch: number; readonly answers: ReadonlyArray<Answer> }
  /** The tag of the error that a commit failed with, or `"Died"`. */
  | { readonly _tag: "Failed"; readonly batch: number; readonly error: string; readonly message: string }
  /** What a client was told of its own commit in the end. */
  | { readonly _tag: "Told"; readonly id: string; readonly answer: Committed | Conflict }
  | { readonly _tag: "Resolved"; readonly id: string; readonly committed?: Committed | undefined }
  /** A page of the total order without filters. */
  | {
    readonly _tag: "Page"
    readonly after: number
    readonly through: number
    readonly events: ReadonlyArray<SeenEvent>
  }
  | { readonly _tag: "Entries"; readonly entries: ReadonlyArray<SeenEntry> }
  /** Something failed that no commit's answer tells of. */
  | { readonly _tag: "Trouble"; readonly error: string; readonly message: string }
  /** A call to one stream or key begins: when, by a clock that all processes share. */
  | { readonly _tag: "Began"; readonly call: number; readonly op: Op; readonly at: number }
  /** It has ended; without a reply where nobody knows what it did. */
  | { readonly _tag: "Ended"; readonly call: number; readonly reply: Reply | undefined; readonly at: number }
  /** It did nothing. */
  | { readonly _tag: "Nothing"; readonly call: number }
  /** A place in the script that the parent may wait for. */
  | { readonly _tag: "Mark"; readonly name: string }

/** The descriptor on which a child tells, and on which its shim asks. */
export const channel = 3

/** Tells the parent; it's in its hands before this returns. */
export const tell = (message: Message): void => {
  const line = Buffer.from(`${encode(message)}\n`)
  for (let done = 0; done < line.length;) done += writeSync(channel, line, done)
}

/** A message as a line. */
export const encode = (message: Message): string => JSON.stringify(message, (_, value) => bytesOut(value))

/** Reads a line. */
export const decode = (line: string): Message => JSON.parse(line, (_, value) => bytesIn(value))

const bytesOut = (value: unknown): unknown =>
  value instanceof Uint8Array ? { "~bytes": Buffer.from(value).toString("base64") } : value

const bytesIn = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "~bytes" in value
    ? new Uint8Array(Buffer.from(String(value["~bytes"]), "base64"))
    : value

const digest = (...content: ReadonlyArray<unknown>): string =>
  createHash("sha256").update(JSON.stringify(content, (_, value) => bytesOut(value))).digest("base64url").slice(0, 16)

/** An event as it is seen. */
export const seenEvent = ({ at, data, id, meta, position, seq, stream, type }: StoredEvent): SeenEvent => [
  position,
  stream,
  seq,
  digest(type, at, copyPayload(data), meta ?? null, id ?? null)
]

/** A key as it is seen. */
export const seenEntry = (entry: StoredEntry | Tombstone): SeenEntry => [
  entry.namespace,
  entry.key,
  entry.revision,
  entry._tag === "Entry" ? digest(copyPayload(entry.value), entry.meta ?? null, entry.at) : "deleted"
]
