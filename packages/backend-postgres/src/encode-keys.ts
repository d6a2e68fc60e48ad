/** The keys, clears and truncations of a judged batch, as the further parameters of `commit_1`. */
import type { Commit, Payload } from "@persist/core"
import { bools, byteArrays, int4s, int8s, texts } from "./arrays.ts"
import type { Value } from "./asking.ts"
import { type Assumption, keyName } from "./assume.ts"
import { numbers, type Placed, Places } from "./encode.ts"

/** Whether a batch needs `commit_1`: it does more than append and expect something of streams. */
export const hasKeys = (batch: ReadonlyArray<Commit>): boolean =>
  batch.some(({ expect, truncate, write }) =>
    write.length > 0 || truncate.length > 0 || expect.some(({ _tag }) => _tag === "Key")
  )

/** Encodes what `commit_1` takes beyond `append_1`. */
export const encodeKeys = (
  commits: ReadonlyArray<Placed>,
  assumption: Assumption,
  streams: Places
): ReadonlyArray<Value> => {
  const rows = new KeyRows(assumption, streams)
  for (const one of commits) rows.add(one)
  return rows.values()
}

// What a key comes to within its stretch.
interface Entry {
  readonly kind: number
  readonly stretch: number
  readonly space: number
  readonly key: string
  readonly revision: number
  readonly at: number
  readonly value: Payload | undefined
  readonly meta: string | undefined
}

const kinds = { put: 1, buryIfLiving: 2, bury: 3 } as const

class KeyRows {
  private readonly assumption: Assumption
  private readonly streams: Places
  private readonly head: number
  private end: number
  private endsInEvent = true
  private readonly spaces = new Places()
  private readonly written = new Set<number>()
  private readonly entries: Array<Entry> = []
  private stretch = new Map<string, number>()
  private readonly clear = numbers("space", "keys", "end", "at")
  private readonly cut = numbers("stream", "before", "last")
  private readonly lasts = new Map<string, number>()

  constructor(assumption: Assumption, streams: Places) {
    this.assumption = assumption
    this.streams = streams
    this.head = assumption.head
    this.end = assumption.head
  }

  add({ commit: { append, at, truncate, write }, placed }: Placed): void {
    for (const { last, lastPosition, stream } of placed.appended) {
      this.lasts.set(stream, last)
      this.end = lastPosition
    }
    write.forEach((one, n) => {
      const revision = placed.revisions[n] ?? placed.position
      if (one._tag === "Clear") this.addClear(one.namespace, revision, at)
      else {
        const value = one._tag === "Put" ? one : undefined
        this.addEntry(one.namespace, one.key, revision, at, value)
      }
      this.end = revision
    })
    for (const { before, stream } of truncate) {
      const assumed = this.assumption.streams.get(stream)?.value ?? 0
      this.cut.stream.push(this.streams.of(stream))
      this.cut.before.push(before)
      this.cut.last.push((this.lasts.get(stream) ?? assumed) - assumed)
    }
    if (placed.position !== this.head && append.length + write.length + truncate.length > 0) {
      this.endsInEvent = write.length === 0 && truncate.length === 0
    }
    this.end = placed.position
  }

  private addEntry(
    namespace: string,
    key: string,
    revision: number,
    at: number,
    put: { readonly value: Payload; readonly meta: string | undefined } | undefined
  ): void {
    const name = keyName(namespace, key)
    const place = this.stretch.get(name)
    const before = place === undefined ? undefined : this.entries[place]
    // What is deleted already keeps its first tombstone.
    if (put === undefined && before !== undefined && before.kind !== kinds.put) return
    const space = this.spaces.of(namespace)
    if (put !== undefined) this.written.add(space)
    this.stretch.set(name, place ?? this.entries.length)
    this.entries[place ?? this.entries.length] = {
      kind: put !== undefined ? kinds.put : before === undefined ? kinds.buryIfLiving : kinds.bury,
      stretch: this.clear.space.length + 1,
      space,
      key,
      revision: revision - this.head,
      at,
      value: put?.value,
      meta: put?.meta
    }
  }

  private addClear(namespace: string, revision: number, at: number): void {
    this.clear.space.push(this.spaces.of(namespace))
    this.clear.keys.push(revision - this.end)
    this.clear.end.push(revision - this.head)
    this.clear.at.push(at)
    this.stretch = new Map()
  }

  values(): ReadonlyArray<Value> {
    const { assumption, clear, cut, entries } = this
    const keys = Array.from(assumption.keys.values())
    const counts = Array.from(assumption.counts)
    const keySpaces = keys.map(({ namespace }) => this.spaces.of(namespace))
    const countSpaces = counts.map(([namespace]) => this.spaces.of(namespace))
    return [
      this.end - this.head,
      this.endsInEvent,
      texts(this.spaces.names),
      bools(this.spaces.names.map((_, n) => this.written.has(n + 1))),
      int4s(keySpaces),
      texts(keys.map(({ key }) => key)),
      int8s(keys.map(({ value }) => value)),
      int4s(keys.map(({ need }) => need)),
      int4s(entries.map(({ stretch }) => stretch)),
      int4s(entries.map(({ kind }) => kind)),
      int4s(entries.map(({ space }) => space)),
      texts(entries.map(({ key }) => key)),
      int4s(entries.map(({ revision }) => revision)),
      int8s(entries.map(({ at }) => at)),
      texts(entries.map(({ value }) => typeof value === "string" ? value : undefined)),
      byteArrays(entries.map(({ value }) => typeof value === "string" ? undefined : value)),
      texts(entries.map(({ meta }) => meta)),
      int4s(clear.space),
      int8s(clear.keys),
      int4s(clear.end),
      int8s(clear.at),
      int4s(countSpaces),
      int8s(counts.map(([, count]) => count)),
      int4s(cut.stream),
      int8s(cut.before),
      int4s(cut.last)
    ]
  }
}
