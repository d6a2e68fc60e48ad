/** Laws of names: byte for byte what the caller gave, and never one for another. */
import type { BackendShape } from "@persist/core"
import { utf8Bytes } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, every, holds } from "../assertion.ts"
import { append, commitAll, dataOf, event, getOne, keyName, put, readAllOf, readWhole } from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("names")

// What file systems, SQL, URLs, globs, subjects, Redis keys and JavaScript objects each treat in their own way.
const odd = [
  ...Array.from(" /\\:;,.*?%_'\"`<>|&#$@!~^+-=()[]{}\n\t\r\u0000\u007f"),
  "..",
  "../x",
  "a/b",
  "a//b",
  "/a",
  "a/",
  "CON",
  "nul.txt",
  "a.b.>",
  "$system",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "0",
  "-1",
  "1e3",
  "true",
  "' or 1=1 --",
  "%2f",
  "\ufeff",
  "\u2028",
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}"
]

// Pairs that a store mistakes for each other as soon as it folds, normalises, trims or compares by locale.
const alike =
  "a A a\u0000 a\u200b \u0430 \uff41 \u00e9 e\u0301 \u00c9 \u212b \u00e5 a\u030a ss \u00df i I \u0131 \u0130"
    .split(" ").concat("a ", " a")

// Each name gets itself as its content, and must give it back.
const keptByStreams = Effect.fnUntraced(function*(backend: BackendShape, names: ReadonlyArray<string>) {
  yield* commitAll(backend, names.map((name) => ({ append: [append(name, JSON.stringify(name))] })))
  for (const name of names) {
    const events = yield* readWhole(backend, name)
    yield* equal(`stream ${JSON.stringify(name)}`, events.map(({ data, seq, stream }) => [stream, Number(seq), data]), [
      [name, 1, JSON.stringify(name)]
    ])
  }
})

const keptByKeys = Effect.fnUntraced(
  function*(backend: BackendShape, pairs: ReadonlyArray<readonly [namespace: string, key: string]>) {
    yield* commitAll(
      backend,
      pairs.map(([namespace, key]) => ({ write: [put(key, JSON.stringify([namespace, key]), { namespace })] }))
    )
    const found = yield* backend.get(pairs.map(([namespace, key]) => keyName(key, namespace)))
    yield* every("keys", found, (entry, n) => {
      const [namespace = "", key = ""] = pairs[n] ?? []
      return entry?.namespace === namespace && entry.key === key && entry.value === JSON.stringify([namespace, key])
    })
  }
)

const ofType = (type: string) => ({ append: [{ stream: "s", events: [event("1", { type })] as const }] })

const typesOf = (backend: BackendShape, stream: string) =>
  Effect.map(readWhole(backend, stream), (events) => events.map(({ type }) => type))

const longestNames = (bytes: number) => {
  const ascii = "x".repeat(bytes - 1)
  return [`${ascii}a`, `${ascii}b`, "\u{1f600}".repeat(Math.floor(bytes / 4))]
}

/** Laws of what streams, keys, namespaces and types may be called. */
export const names = [
  law("a stream may have any name: separators, patterns, paths, control characters", [], function*(backend) {
    yield* keptByStreams(backend, odd)
  }),

  law("streams whose names look alike are different streams", [], function*(backend) {
    yield* keptByStreams(backend, alike)
  }),

  law("a key may have any name: separators, patterns, paths, control characters", [], function*(backend) {
    yield* keptByKeys(backend, odd.map((name) => ["n", name]))
  }),

  law("keys whose names look alike are different keys", [], function*(backend) {
    yield* keptByKeys(backend, alike.map((name) => ["n", name]))
  }),

  law("a namespace may have any name, and those that look alike are different", [], function*(backend) {
    yield* keptByKeys(backend, [...odd, ...alike].map((name) => [name, "k"]))
  }),

  law("a namespace and a key never run into each other", [], function*(backend) {
    const parts = ["a", "a:", ":a", "a/", "/a", "a\u0000", "\u0000a", "aa", "a:a", "a/a", "a\u0000a", "a.a", "a."]
    yield* keptByKeys(backend, parts.flatMap((namespace) => parts.map((key) => [namespace, key] as const)))
  }),

  law("an event may have any type, and types that look alike are different", [], function*(backend) {
    const types = [...odd, ...alike]
    yield* commitAll(backend, types.map(ofType))
    yield* equal("types", yield* typesOf(backend, "s"), types)
  }),

  law("types that look alike are told apart by a filter", ["readAll"], function*(backend) {
    yield* commitAll(backend, alike.map(ofType))
    for (const type of alike) {
      const found = yield* readAllOf(backend, { types: [type] })
      yield* equal(`events of type ${type}`, found.map((each) => each.type), [type])
    }
  }),

  law("a stream's name may be as long as the limit, and is kept to the last byte", [], function*(backend) {
    const longest = longestNames(backend.about.limits.nameBytes)
    yield* every("names", longest, (name) => utf8Bytes(name) > backend.about.limits.nameBytes - 4)
    yield* keptByStreams(backend, longest)
  }),

  law("a namespace and a key may each be as long as the limit, and are kept to the last byte", [], function*(backend) {
    const longest = longestNames(backend.about.limits.nameBytes)
    yield* keptByKeys(backend, longest.flatMap((namespace) => longest.map((key) => [namespace, key] as const)))
  }),

  law("a type may be as long as the limit, and is kept to the last byte", [], function*(backend) {
    const longest = longestNames(backend.about.limits.nameBytes)
    yield* commitAll(backend, longest.map(ofType))
    yield* equal("types", yield* typesOf(backend, "s"), longest)
  }),

  law("hundreds of streams with one event each are hundreds of streams", [], function*(backend) {
    const streams = Array.from({ length: 300 }, (_, n) => `stream ${n}`)
    yield* commitAll(backend, streams.map((stream) => ({ append: [append(stream, stream)] })))
    const data = yield* Effect.forEach(streams, (stream) => dataOf(backend, stream))
    yield* equal("data", data.flat(), streams)
    yield* holds((yield* getOne(backend, "stream 1")) === undefined, "a stream's name became a key")
  })
]
