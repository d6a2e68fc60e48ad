/** Bad input through the umbrella: each rejects with a typed error of field and remedy, and nothing happens. */
import { make as makeMemory } from "@persist/backend-memory"
import { mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  Catalogue,
  Corrupt,
  Decider,
  Invalid,
  isStoreError,
  LimitExceeded,
  open,
  Projection,
  ReadModel,
  Schema,
  SnapshotPolicy,
  type Store,
  Unsupported
} from "persist"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Buyers, Item, Left, Sale, stocked } from "./shop.ts"

const limits = { payloadBytes: 100, commitEvents: 4, commitBytes: 150, nameBytes: 60 }
const backend = makeMemory({ limits })
const text = (length: number) => "x".repeat(length)

/** What a caller without types may send: the whole point here is to get past the compiler. */
const wrong = <A>(value: unknown): A => value as A

type Call = (store: Store) => Promise<unknown>
type Case = readonly [what: string, call: Call, error: new(...args: never) => Error, field: string]

const log = (store: Store) => store.log(Item)
const kv = (store: Store) => store.kv("n")
const many = Array.from({ length: 5 }, () => stocked(1))

const names: ReadonlyArray<Case> = [
  ["an empty stream", (s) => log(s).append("", stocked(1), { expected: 0 }), Invalid, "stream"],
  ["an over-long stream", (s) => log(s).append(text(61), stocked(1), { expected: 0 }), LimitExceeded, "stream"],
  ["a lone surrogate", (s) => log(s).append("\udc00", stocked(1), { expected: 0 }), Invalid, "stream"],
  ["an empty stream, reading", (s) => log(s).read("").toArray(), Invalid, "stream"],
  ["an empty stream, asking for its last seq", (s) => log(s).lastSeq(""), Invalid, "stream"],
  ["an empty key", (s) => kv(s).put("", 1), Invalid, "key"],
  ["an over-long key", (s) => kv(s).get(text(61)), LimitExceeded, "key"],
  ["a lone surrogate in a key", (s) => kv(s).has("\ud800"), Invalid, "key"],
  ["an empty namespace", (s) => s.kv("").get("a"), Invalid, "namespace"],
  ["no namespace", (s) => s.kv(wrong(undefined)).get("a"), Invalid, "namespace"],
  ["null for a namespace", (s) => s.kv(wrong(null)).get("a"), Invalid, "namespace"],
  ["a namespace of the store's own", (s) => s.kv("$mine").put("a", 1), Invalid, "namespace"],
  ["an empty commit id", (s) => s.resolve(""), Invalid, "id"],
  ["an empty reader", (s) => s.registerReader(""), Invalid, "name"],
  ["a reader of the store's own", (s) => s.registerReader("$mine"), Invalid, "name"],
  ["a reader that isn't there", (s) => s.resetReader("nobody"), Invalid, "name"]
]

const expectations: ReadonlyArray<Case> = [
  ["no expected", (s) => log(s).append("a", stocked(1), wrong({})), Invalid, "expected"],
  ["no options", (s) => log(s).append("a", stocked(1), wrong(undefined)), Invalid, "expected"],
  [
    "a signal and no expected",
    (s) => log(s).append("a", stocked(1), wrong({ signal: AbortSignal.any([]) })),
    Invalid,
    "expected"
  ],
  ["a negative expected", (s) => log(s).append("a", stocked(1), { expected: -1 }), Invalid, "expected"],
  ["a word for a stream", (s) => log(s).append("a", stocked(1), { expected: wrong("absent") }), Invalid, "expected"],
  ["a word for a key", (s) => kv(s).put("a", 1, { expected: wrong("new") }), Invalid, "expected"],
  ["revision 0", (s) => kv(s).put("a", 1, { expected: 0 }), Invalid, "expected"],
  ["no expected, deleting a stream", (s) => log(s).delete("a", wrong({})), Invalid, "expected"]
]

const options: ReadonlyArray<Case> = [
  ["to append", (s) => log(s).append("a", stocked(1), wrong({ expected: 0, expects: 1 })), Invalid, "expects"],
  ["to read", (s) => log(s).read("a", wrong({ form: 1 })).toArray(), Invalid, "form"],
  ["to read all", (s) => log(s).readAll(wrong({ from: 1 })).toArray(), Invalid, "from"],
  ["to list streams", (s) => log(s).streams(wrong({ like: "a" })).toArray(), Invalid, "like"],
  ["to ask for the last seq", (s) => log(s).lastSeq("a", wrong({ atLeast: 1 })), Invalid, "atLeast"],
  ["to get", (s) => kv(s).get("a", wrong({ default: 1 })), Invalid, "default"],
  ["to put", (s) => kv(s).put("a", 1, wrong({ ttl: 5 })), Invalid, "ttl"],
  ["to scan", (s) => kv(s).scan(wrong({ startsWith: "a" })).toArray(), Invalid, "startsWith"],
  [
    "to scan, beside a signal",
    (s) => kv(s).scan(wrong({ ttl: 1, signal: AbortSignal.any([]) })).toArray(),
    Invalid,
    "ttl"
  ],
  ["to commit", (s) => s.commit([kv(s).ops.put("a", 1)], wrong({ retry: 1 })), Invalid, "retry"],
  ["to resolve", (s) => s.resolve("c", wrong({ wait: 1 })), Invalid, "wait"],
  ["to ask for the head", (s) => s.head(wrong({ fresh: true })), Invalid, "fresh"],
  ["to list namespaces", (s) => s.namespaces(wrong({ prefix: "a" })).toArray(), Invalid, "prefix"],
  ["to project", (s) => s.project(Left, wrong({ stream: "a", upTo: 1 })), Invalid, "upTo"],
  ["to load", (s) => s.load(Left, wrong({ stream: "a", snapshot: 1 })), Invalid, "snapshot"],
  ["to decide", (s) => s.decide(Sale, "a", { count: 1, to: "b" }, wrong({ retry: 1 })), Invalid, "retry"],
  ["to catch up", (s) => s.catchUp(Buyers, wrong({ fast: true })), Invalid, "fast"],
  ["that is a string", (s) => kv(s).get("a", wrong("atLeast")), Invalid, "options"],
  ["that is null", (s) => kv(s).get("a", wrong(null)), Invalid, "options"]
]

const values: ReadonlyArray<Case> = [
  [
    "data that doesn't fit its schema",
    (s) => log(s).append("a", stocked(0.5), { expected: 0 }),
    Invalid,
    "event.data.count"
  ],
  [
    "an unknown type",
    (s) => log(s).append("a", wrong({ type: "Stoked", data: 1 }), { expected: 0 }),
    Invalid,
    "event.type"
  ],
  ["no events", (s) => log(s).append("a", [], { expected: 0 }), Invalid, "events"],
  ["what is no event", (s) => log(s).append("a", wrong("Stocked"), { expected: 0 }), Invalid, "event"],
  ["undefined for a value", (s) => kv(s).put("a", wrong(undefined)), Invalid, "value"],
  ["a date for JSON", (s) => kv(s).put("a", wrong({ at: new Date(0) })), Invalid, "value.at"],
  ["a value that doesn't fit", (s) => s.kv("n", Schema.Int).put("a", 0.5), Invalid, "value"],
  ["a fractional limit", (s) => log(s).read("a", { limit: 0.5 }).toArray(), Invalid, "limit"],
  ["a negative position", (s) => log(s).readAll({ after: -1 }).toArray(), Invalid, "after"],
  ["a time that's none", (s) => kv(s).put("a", 1, { at: Number.NaN }), Invalid, "at"],
  ["an empty commit", (s) => s.commit([]), Invalid, "ops"],
  ["one key twice in a commit", (s) => s.commit([kv(s).ops.put("a", 1), kv(s).ops.delete("a")]), Invalid, "key"],
  ["two scopes at once", (s) => s.project(Left, wrong({ stream: "a", all: true })), Invalid, "scope"],
  ["no scope", (s) => s.project(Left, wrong({})), Invalid, "scope"]
]

const sizes: ReadonlyArray<Case> = [
  ["a payload over the limit", (s) => kv(s).put("a", text(101)), LimitExceeded, "value"],
  ["a batch of too many events", (s) => log(s).append("a", many, { expected: 0 }), LimitExceeded, "commit"],
  ["a batch of too many keys", (s) => kv(s).putMany(many.map((_, n) => [String(n), n])), LimitExceeded, "commit"],
  ["a batch of too many bytes", (s) => kv(s).putMany([["a", text(90)], ["b", text(90)]]), LimitExceeded, "commit"]
]

describe.each([
  ["names", names],
  ["expectations", expectations],
  ["unknown options", options],
  ["values", values],
  ["sizes", sizes]
])("bad input: %s", (_, cases) => {
  it.each(cases)("%s", async (_what, call, kind, field) => {
    await using store = await open(backend)
    const error = await call(store).then(() => "no error", (rejected: unknown) => rejected)
    expect(error).toBeInstanceOf(kind)
    expect(isStoreError(error)).toBe(true)
    expect(error).toMatchObject({ _tag: kind.name, field })
    expect(String(error), "the message is field: reason; remedy").toMatch(/: .+; .+/)
    expect(await store.head(), "nothing happened").toBe(0)
  })
})

describe("what can't be iterated or awaited is refused as it is", () => {
  it("by a rejection, never by an exception out of the call", async () => {
    await using store = await open(backend)
    await expect(store.kv("n").putMany(wrong(undefined))).rejects.toBeInstanceOf(TypeError)
    await expect(store.commit(wrong(undefined))).rejects.toBeInstanceOf(TypeError)
  })
})

describe("definitions are code, and a wrong one throws where it's written", () => {
  it.each<readonly [string, () => unknown, string]>([
    ["a catalogue with an empty type", () => Catalogue.make({ "": Schema.String }), "definitions"],
    ["a projection without a name", () => Projection.make({ name: "", version: 1, seed: 0, step: (n) => n }), "name"],
    ["a projection of version 0", () => Projection.make({ name: "p", version: 0, seed: 0, step: (n) => n }), "version"],
    [
      "a decider without a projection",
      () => Decider.make({ name: "d", projection: wrong<typeof Left>(undefined), decide: () => [] }),
      "projection"
    ],
    ["a read model of the store's own", () => ReadModel.make({ ...Buyers, name: "$b", value: Schema.Int }), "name"],
    ["a snapshot every 0 events", () => SnapshotPolicy.every(0), "events"]
  ])("%s", (_, define, field) => {
    expect(define).toThrow(Invalid)
    expect(define).toThrow(field)
  })
})

describe("stored things that can't be read", () => {
  it("are corrupt, and say where", async () => {
    await using store = await open("memory:")
    await store.kv("n").put("a", "text")
    const error = await store.kv("n", Schema.Int).get("a").catch((rejected: unknown) => rejected)
    expect(error).toBeInstanceOf(Corrupt)
    expect(String(error)).toContain(`key "a" of namespace "n"`)
  })
})

describe("a file", () => {
  let directory = ""
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "persist-bad-"))
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it("of a newer version is refused, and stays as it was", async () => {
    const path = join(directory, "newer.db")
    await (await open(`sqlite:${path}`)).close()
    // SQLite keeps a number of the application's own, which is the format, at byte 60 of the file.
    writeSync(openSync(path, "r+"), new Uint8Array([0, 0, 3, 231]), 0, 4, 60)
    const before = readFileSync(path)
    const error = await open(`sqlite:${path}`).catch((rejected: unknown) => rejected)
    expect(error).toBeInstanceOf(Unsupported)
    expect(String(error)).toContain("999")
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})
