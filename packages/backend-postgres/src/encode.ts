/** A judged batch as the parameters of the SQL functions: arrays, with every number counted from what was assumed. */
import type { Append, Appended, Commit, Committed, NewEvent } from "@persist/core"
import { byteArrays, int4s, int8s, texts, unlessEmpty } from "./arrays.ts"
import type { Value } from "./asking.ts"
import { type Assumption, needs } from "./assume.ts"
import type { Memory } from "./memory.ts"
import type { Played } from "./play.ts"

/** What a call says beside the batch. */
export interface Caller {
  readonly incarnation: string
  /** The highest head that the handle knows of. */
  readonly floor: number
  /** How many milliseconds to wait for the lock; `undefined` leaves it to the transaction. */
  readonly patience: number | undefined
  /** How often it was said of an id that nothing happened under it. */
  readonly attempts: ReadonlyMap<string, number>
}

/** A commit that happens, and where it was placed. */
export interface Placed {
  readonly commit: Commit
  readonly placed: Committed
}

/** The commits that happen now: neither those that conflict nor those that have happened before. */
export const happening = (batch: ReadonlyArray<Commit>, { outcomes }: Played): ReadonlyArray<Placed> =>
  batch.flatMap((commit, n) => {
    const placed = outcomes[n]
    return placed?._tag === "Committed" && !placed.repeated ? [{ commit, placed }] : []
  })

/** The one event of a commit that does nothing else, and its stream; `undefined` for any other commit. */
export const onlyEvent = (
  { append, truncate, write }: Commit
): { readonly event: NewEvent; readonly stream: string } | undefined => {
  const [only] = append
  const [event] = only?.events ?? []
  const isAlone = append.length === 1 && only?.events.length === 1 && write.length + truncate.length === 0
  return only !== undefined && event !== undefined && isAlone ? { event, stream: only.stream } : undefined
}

/** Names in the order of their first use, by which the arrays refer to them, from 1. */
export class Places {
  readonly names: Array<string> = []
  private readonly places = new Map<string, number>()

  /** The name's place. */
  of(name: string): number {
    const known = this.places.get(name)
    if (known !== undefined) return known
    this.names.push(name)
    this.places.set(name, this.names.length)
    return this.names.length
  }
}

/** The parameters of `append_1`, and which streams and types they refer to. */
export interface EncodedAppends {
  readonly values: ReadonlyArray<Value>
  readonly streams: Places
  readonly types: Places
}

/** Encodes what `append_1` takes. */
export const encodeAppends = (
  commits: ReadonlyArray<Placed>,
  assumption: Assumption,
  { conflicting, headMatters }: Played,
  memory: Memory,
  caller: Caller
): EncodedAppends => {
  const streams = new Places()
  const types = new Places()
  for (const stream of assumption.streams.keys()) streams.of(stream)
  const rows = new AppendRows(assumption, streams, types)
  for (const one of commits) rows.add(one)
  const assumed = Array.from(assumption.streams.values())
  const typeIds = types.names.map((name) => memory.type(name) ?? 0)
  const known = assumed.every(({ id }) => id > 0) && !typeIds.includes(0)
  return {
    streams,
    types,
    values: [
      caller.incarnation,
      caller.floor,
      caller.patience?.toString() ?? null,
      memory.server ?? null,
      memory.head ?? null,
      known,
      headMatters,
      ...[
        int8s(assumed.map(({ id }) => id)),
        texts(streams.names.map((name, n) => assumed[n]?.id === 0 ? name : undefined)),
        int8s(assumed.map(({ value }) => value)),
        int4s(unless(assumed.map(({ need }) => need), () => needs.nothing)),
        int4s(known ? [] : unless(rows.starts, nth)),
        int4s(typeIds),
        texts(types.names.map((name, n) => typeIds[n] === 0 ? name : undefined))
      ].map(unlessEmpty),
      rows.count,
      ...rows.events().map(unlessEmpty),
      ...rows.commits(conflicting, caller.attempts).map(unlessEmpty)
    ]
  }
}

class AppendRows {
  /** How far above the head the first event of each stream comes to lie; 0 where it gets none. */
  readonly starts: Array<number>
  private readonly head: number
  private readonly assumption: Assumption
  private readonly streams: Places
  private readonly types: Places
  private readonly news: Array<NewEvent> = []
  private readonly event = numbers("stream", "position", "seq", "type")
  private readonly ids: Array<string> = []
  private readonly digests: Array<string> = []
  private readonly revisions: Array<string | undefined> = []
  private readonly commit = numbers("start", "end", "append", "appends")
  private readonly append = numbers("stream", "seq", "events")
  /** Where the commit before ends: the next one follows at once. */
  private end: number

  constructor(assumption: Assumption, streams: Places, types: Places) {
    this.assumption = assumption
    this.head = assumption.head
    this.end = assumption.head
    this.streams = streams
    this.types = types
    this.starts = streams.names.map(() => 0)
  }

  add({ commit, placed }: Placed): void {
    const start = this.end
    this.end = placed.position
    if (commit.identity !== undefined) {
      this.ids.push(commit.identity.id)
      this.digests.push(commit.identity.digest)
      this.revisions.push(
        placed.revisions.length === 0
          ? undefined
          : `{${placed.revisions.map((revision) => revision - start).join(",")}}`
      )
      this.commit.start.push(start - this.head)
      this.commit.end.push(placed.position - this.head)
      this.commit.append.push(commit.append.length === 0 ? 0 : this.append.stream.length + 1)
      this.commit.appends.push(commit.append.length)
    }
    commit.append.forEach((one, n) => {
      const at = placed.appended[n]
      if (at !== undefined) this.addAppend(one, at, commit.identity !== undefined)
    })
  }

  private addAppend({ events, stream }: Append, { first, firstPosition }: Appended, named: boolean): void {
    const place = this.streams.of(stream)
    const seq = first - (this.assumption.streams.get(stream)?.value ?? 0)
    const position = firstPosition - this.head
    if (this.starts[place - 1] === 0) this.starts[place - 1] = position
    events.forEach((event, n) => {
      this.news.push(event)
      this.event.stream.push(place)
      this.event.position.push(position + n)
      this.event.seq.push(seq + n)
      this.event.type.push(this.types.of(event.type))
    })
    if (!named) return
    this.append.stream.push(place)
    this.append.seq.push(seq)
    this.append.events.push(events.length)
  }

  get count(): number {
    return this.news.length
  }

  events(): ReadonlyArray<Buffer> {
    const { news } = this
    const ats = news.map(({ at }) => at)
    return [
      int4s(unless(this.event.stream, nth)),
      int4s(unless(this.event.position, nth)),
      int4s(unless(this.event.seq, one)),
      int4s(unless(this.event.type, one)),
      int8s(ats.every((at) => at === ats[0]) ? ats.slice(0, 1) : ats),
      texts(news.map(({ data }) => typeof data === "string" ? data : undefined)),
      byteArrays(news.map(({ data }) => typeof data === "string" ? undefined : data)),
      texts(news.map(({ meta }) => meta)),
      texts(news.map(({ id }) => id))
    ]
  }

  commits(conflicting: ReadonlyArray<string>, attempted: Caller["attempts"]): ReadonlyArray<Buffer> {
    const ids = [...this.ids, ...conflicting]
    const attempts = ids.map((id) => attempted.get(id) ?? 0)
    return [
      texts(ids),
      texts(this.digests),
      int4s(attempts.some((count) => count > 0) ? attempts : []),
      int4s(unless(this.commit.start, (n) => n - 1)),
      int4s(unless(this.commit.end, nth)),
      int4s(unless(this.commit.append, nth)),
      int4s(unless(this.commit.appends, one)),
      texts(this.revisions),
      int4s(unless(this.append.stream, nth)),
      int4s(unless(this.append.seq, one)),
      int4s(unless(this.append.events, one))
    ]
  }
}

// What isn't said is what it mostly is: a batch of commits with one event each, to a stream of its own, says little.
const unless = (values: ReadonlyArray<number>, usual: (n: number) => number): ReadonlyArray<number> =>
  values.every((value, n) => value === usual(n + 1)) ? [] : values

const nth = (n: number): number => n
const one = (): number => 1

/** Columns of numbers by name. */
export const numbers = <K extends string>(...names: ReadonlyArray<K>): Record<K, Array<number>> =>
  // Every name gets its array.
  Object.fromEntries(names.map((name): [string, Array<number>] => [name, []])) as Record<K, Array<number>>
