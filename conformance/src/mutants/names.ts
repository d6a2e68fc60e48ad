/** Mutants that fold, cut or mix up names. */
import type { BackendShape, StoredEvent } from "@persist/core"
import * as Effect from "effect/Effect"
import { commits, renamed, search } from "../altered.ts"
import { mutant, placeMutant } from "../mutant.ts"

const toFileName = (name: string) => name.replaceAll("/", "_")
const cutAt = (length: number) => (name: string) => name.slice(0, length)

// A namespace and a key joined by a colon: where the colon was can't be told afterwards.
const joined = <A extends { readonly namespace: string; readonly key?: string }>(named: A): A =>
  named.key !== undefined && named.namespace.endsWith(":")
    ? { ...named, namespace: named.namespace.slice(0, -1), key: `:${named.key}` }
    : named

/** Broken in names. */
export const names = [
  mutant(
    "streams are files",
    "keeps a slash in a stream's name as an underscore",
    (backend) => renamed(backend, { stream: toFileName }),
    [
      "a stream may have any name: separators, patterns, paths, control characters"
    ]
  ),

  mutant(
    "streams composed",
    "normalises the names of streams",
    (backend) => renamed(backend, { stream: (name) => name.normalize() }),
    [
      "a prefix tells upper case from lower, and composed from decomposed",
      "streams whose names look alike are different streams"
    ]
  ),

  mutant(
    "streams without case",
    "keeps the names of streams in lower case",
    (backend) => renamed(backend, { stream: (name) => name.toLowerCase() }),
    [
      "a prefix tells upper case from lower, and composed from decomposed",
      "streams are listed in the order of their UTF-8 bytes",
      "pages of streams go on after a name, whatever their size",
      "a prefix lists the streams whose names start with it, sign for sign",
      "truncating one stream leaves all others as they were",
      "streams whose names look alike are different streams"
    ]
  ),

  mutant(
    "keys are files",
    "keeps a slash in a key as an underscore",
    (backend) => renamed(backend, { key: toFileName }),
    [
      "a key may have any name: separators, patterns, paths, control characters"
    ]
  ),

  mutant(
    "keys to the NUL",
    "keeps a key to the first NUL",
    (backend) => renamed(backend, { key: (name) => name.split("\u0000")[0] ?? "" }),
    [
      "a scan gives the keys in the order of their UTF-8 bytes",
      "the bounds of a scan compare by UTF-8 bytes as well",
      "keys whose names look alike are different keys",
      "a namespace and a key never run into each other"
    ]
  ),

  mutant(
    "keys trimmed",
    "keeps keys without the space around them",
    (backend) => renamed(backend, { key: (name) => name.trim() === "" ? name : name.trim() }),
    [
      "keys whose names look alike are different keys"
    ]
  ),

  mutant(
    "namespaces composed",
    "normalises the names of namespaces",
    (backend) => renamed(backend, { namespace: (name) => name.normalize() }),
    [
      "a namespace may have any name, and those that look alike are different"
    ]
  ),

  mutant("namespace:key", "keeps a key under its namespace, a colon and its name", (backend) => {
    const { get } = backend
    return {
      ...commits(backend, (commit) => ({
        ...commit,
        expect: commit.expect.map((each) => each._tag === "Key" ? joined(each) : each),
        write: commit.write.map(joined)
      })),
      get: (keys) =>
        Effect.map(get(keys.map(joined)), (found) => found.map((entry, n) => entry && { ...entry, ...keys[n] }))
    }
  }, [
    "a scan keeps to its namespace",
    "a namespace and a key never run into each other"
  ]),

  mutant("types composed", "normalises types", (backend) => renamed(backend, { type: (name) => name.normalize() }), [
    "an event may have any type, and types that look alike are different",
    "types that look alike are told apart by a filter"
  ]),

  mutant("types without case", "compares types without regard to case when it filters", (backend) => ({
    readAll: (range) => {
      const types = range.types?.map((type) => type.toLowerCase())
      return search(
        backend,
        range,
        ({ stream, type }: StoredEvent) =>
          stream.startsWith(range.prefix) && (types?.includes(type.toLowerCase()) ?? true)
      )
    }
  }), [
    "a type that no event has selects nothing, and so does an empty list of types",
    "types that look alike are told apart by a filter"
  ]),

  mutant(
    "streams of 255",
    "keeps 255 characters of a stream's name",
    (backend) => renamed(backend, { stream: cutAt(255) }),
    [
      "a stream's name may be as long as the limit, and is kept to the last byte"
    ]
  ),

  mutant("keys of 255", "keeps 255 characters of a key", (backend) => renamed(backend, { key: cutAt(255) }), [
    "a namespace and a key may each be as long as the limit, and are kept to the last byte"
  ]),

  mutant("types of 255", "keeps 255 characters of a type", (backend) => renamed(backend, { type: cutAt(255) }), [
    "a type may be as long as the limit, and is kept to the last byte"
  ]),

  placeMutant("256 streams", "forgets the first of more than 256 streams", () => {
    const known = new Set<string>()
    return (backend: BackendShape) => ({
      commit: (batch) => {
        for (const { stream } of batch.flatMap(({ append }) => append)) known.add(stream)
        return backend.commit(batch)
      },
      readStream: (range) =>
        [...known].slice(0, -256).includes(range.stream) ? Effect.succeed([]) : backend.readStream(range)
    })
  }, [
    "hundreds of streams with one event each are hundreds of streams"
  ])
]
