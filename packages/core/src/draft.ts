/** A commit in the making: every rule about what one may hold is checked here, once, for all backends. */
import type { Ability, About } from "./backend.ts"
import type { Append, Commit, Expectation, NewEvent, Truncate, Write } from "./commit.ts"
import { digestOf } from "./digest.ts"
import { Invalid, LimitExceeded } from "./error.ts"
import * as Fault from "./fault.ts"
import type { EncodedEvent } from "./kind.ts"
import { nameFault } from "./name.ts"
import { type Payload, payloadBytes } from "./payload.ts"
import { Position, Seq } from "./sequence.ts"
import { SmallMap } from "./small-map.ts"

/**
 * One step of a commit, made by the `ops` of a log or a kv, for the store that they are of; what's wrong with it is
 * told when it's committed.
 */
export interface Op {
  readonly "~persist/Op": (draft: Draft) => Fault.Fault | undefined
  /** The incarnation of the store that it's an operation of; `undefined` where it may be any store's. */
  readonly "~persist/Store"?: string | undefined
}

/** Makes an operation of the store with this incarnation, or of any. */
export const opOf = (incarnation: string | undefined, write: Op["~persist/Op"]): Op => ({
  "~persist/Op": write,
  "~persist/Store": incarnation
})

/** What is to be appended to one stream, as far as it has come. */
interface Appending {
  readonly stream: string
  events: Array<NewEvent>
}

/** Collects the operations of one commit. Each method answers the fault that forbids the whole commit, if any. */
export class Draft {
  /** The time of everything that doesn't say its own, in milliseconds since 1970. */
  readonly at: number
  /** Sum of the payloads so far. */
  bytes = 0
  private count = 0
  /** How many events appends were begun for that haven't come. */
  private missing = 0
  private readonly about: About
  // Every append passes here, and most commits are one: of what a commit has none, none is made.
  private expect: Array<Expectation> | undefined
  private appends: Array<Appending> | undefined
  private expected: SmallMap<Fault.ExpectedSeq> | undefined
  private writes: Array<Write> | undefined
  private keys: SmallMap<SmallMap<true>> | undefined
  private cleared: SmallMap<true> | undefined
  private truncations: Array<Truncate> | undefined
  /** The events whose time is the caller's. */
  private timed: Set<NewEvent> | undefined

  constructor(about: About, at: number) {
    this.about = about
    this.at = at
  }

  /**
   * Begins an append of `count` events to a stream's end: each {@link event} after it goes there. One that follows
   * another to the same stream goes on with it.
   */
  append(stream: string, expected: Fault.ExpectedSeq, count: number): Fault.Fault | undefined {
    const fault = this.name("stream", stream) ?? Fault.expectedSeqFault(expected) ??
      (count === 0 ? emptyFault : undefined)
    if (fault !== undefined) return fault
    const last = this.appends?.at(-1)
    const goesOn = last !== undefined && last.stream === stream
    const order = goesOn ? this.continues(last, expected) : this.expectStream(stream, expected)
    if (order !== undefined) return order
    if (!goesOn) this.appends = added(this.appends, { stream, events: none })
    this.missing += count
    return undefined
  }

  /** Adds an event to the append that was begun; `at` is its time where the caller gave one. */
  event({ data, meta, type }: EncodedEvent, at: number | undefined, id: string | undefined): Fault.Fault | undefined {
    const fault = this.name("type", type) ?? this.payload("data", data) ?? this.meta(meta) ?? this.room() ??
      (at === undefined ? undefined : Fault.timeFault("at", at)) ??
      (id === undefined ? undefined : this.name("id", id))
    if (fault !== undefined) return fault
    const event = { type, at: at ?? this.at, data, meta, id }
    const into = this.appends?.at(-1)
    if (into === undefined) throw new Error("an event that no append was begun for")
    if (into.events === none) into.events = [event]
    else into.events.push(event)
    this.missing--
    if (at !== undefined) (this.timed ??= new Set()).add(event)
    return undefined
  }

  /** Expects something of a stream without changing it. */
  check(stream: string, expected: Fault.ExpectedSeq): Fault.Fault | undefined {
    return this.name("stream", stream) ?? Fault.expectedSeqFault(expected) ?? this.expectStream(stream, expected)
  }

  /** Expects something of a key without changing it. */
  checkKey(namespace: string, key: string, expected: Fault.ExpectedRevision): Fault.Fault | undefined {
    return this.key(namespace, key, expected)
  }

  /** Puts a value under a key. */
  put(
    { key, meta, namespace, value }: { namespace: string; key: string; value: Payload; meta: string | undefined },
    expected: Fault.ExpectedRevision
  ): Fault.Fault | undefined {
    const fault = this.payload("value", value) ?? this.meta(meta) ?? this.room() ?? this.key(namespace, key, expected)
    if (fault === undefined) this.writes = added(this.writes, { _tag: "Put", namespace, key, value, meta })
    return fault
  }

  /** Deletes a key. */
  delete(namespace: string, key: string, expected: Fault.ExpectedRevision): Fault.Fault | undefined {
    const fault = this.lack("delete") ?? this.room() ?? this.key(namespace, key, expected)
    if (fault === undefined) this.writes = added(this.writes, { _tag: "Delete", namespace, key })
    return fault
  }

  /** Deletes every key of a namespace. */
  clear(namespace: string): Fault.Fault | undefined {
    const fault = this.name("namespace", namespace) ?? this.lack("clear") ?? this.room() ??
      (this.isTouched(namespace) ? Fault.twiceFault("namespace", namespace) : undefined)
    if (fault !== undefined) return fault
    ;(this.cleared ??= new SmallMap()).add(namespace, true)
    this.writes = added(this.writes, { _tag: "Clear", namespace })
    return undefined
  }

  /** Removes the events of a stream below a seq. */
  truncate(stream: string, before: number): Fault.Fault | undefined {
    const fault = this.name("stream", stream) ?? Fault.counterFault("before", before, 1) ?? this.lack("truncate") ??
      this.room() ??
      (this.truncations?.some((other) => other.stream === stream) === true
        ? Fault.twiceFault("stream", stream)
        : undefined)
    if (fault === undefined) this.truncations = added(this.truncations, { stream, before: Seq(before) })
    return fault
  }

  /** The commit, ready for a backend. `id` makes it happen once; `at` is its time where the caller gave one. */
  finish(id: string | undefined, at: number | undefined): Commit | Fault.Fault {
    const fault = (id === undefined ? undefined : this.name("id", id) ?? this.lack("resolve")) ??
      (this.count > 1 ? this.lack("atomic") : undefined)
    if (fault !== undefined) return fault
    if (this.missing !== 0) throw new Error("an append was begun for another number of events")
    const { expect = none, truncations: truncate = none, writes: write = none } = this
    // Each was begun for one event or more, and none is missing.
    const append = (this.appends ?? none) as ReadonlyArray<unknown> as ReadonlyArray<Append>
    const identity = id === undefined
      ? undefined
      : { id, digest: digestOf({ append, expect, truncate, write }, this.timed, at) }
    return { identity, at: this.at, expect, append, write, truncate }
  }

  private isTouched(namespace: string): boolean {
    return this.keys?.get(namespace) !== undefined || this.cleared?.get(namespace) !== undefined
  }

  private name(field: string, value: unknown): Fault.Fault | undefined {
    return nameFault(field, value, this.about.limits.nameBytes)
  }

  private lack(ability: Ability): Fault.Fault | undefined {
    return this.about.lacks.has(ability) ? Fault.lackFault(this.about.name, ability) : undefined
  }

  private expectStream(stream: string, expected: Fault.ExpectedSeq): Fault.Fault | undefined {
    if (this.expected?.get(stream) !== undefined) return Fault.twiceFault("stream", stream)
    ;(this.expected ??= new SmallMap()).add(stream, expected)
    if (expected === "any") return undefined
    this.expect = added(this.expect, {
      _tag: "Stream",
      stream,
      expected: expected === "exists" ? expected : Seq(expected)
    })
    return undefined
  }

  private continues(
    { events, stream }: Appending,
    expected: Fault.ExpectedSeq
  ): Fault.Fault | undefined {
    const before = this.expected?.get(stream)
    if (typeof expected !== "number") return undefined
    if (typeof before === "number" && expected === before + events.length) return undefined
    return new Invalid({
      field: "expected",
      reason: `${expected} can't hold after the append to the same stream just before it`,
      remedy: "expect the seq that append leaves, or \"any\""
    })
  }

  private key(namespace: string, key: string, expected: Fault.ExpectedRevision): Fault.Fault | undefined {
    const fault = this.name("namespace", namespace) ?? this.name("key", key) ?? Fault.expectedRevisionFault(expected)
    if (fault !== undefined) return fault
    if (this.cleared?.get(namespace)) return Fault.twiceFault("namespace", namespace)
    const known = this.keys?.get(namespace)
    if (known?.get(key)) return Fault.twiceFault("key", key)
    const keys = known ?? new SmallMap()
    if (known === undefined) (this.keys ??= new SmallMap()).add(namespace, keys)
    keys.add(key, true)
    if (expected === "any") return undefined
    this.expect = added(this.expect, {
      _tag: "Key",
      namespace,
      key,
      expected: typeof expected === "number" ? Position(expected) : expected
    })
    return undefined
  }

  private meta(meta: string | undefined): Fault.Fault | undefined {
    return meta === undefined ? undefined : this.lack("meta") ?? this.payload("meta", meta)
  }

  private payload(field: string, payload: Payload): Fault.Fault | undefined {
    if (typeof payload !== "string") {
      const lack = this.lack("bytes")
      if (lack !== undefined) return lack
    }
    const { commitBytes, payloadBytes: limit } = this.about.limits
    const actual = payloadBytes(payload)
    this.bytes += actual
    if (actual > limit) {
      return new LimitExceeded({
        field,
        limit,
        actual,
        unit: "bytes",
        remedy: "keep large values in a blob store, and their address here"
      })
    }
    if (this.bytes <= commitBytes) return undefined
    const remedy = "split the commit into smaller ones"
    return new LimitExceeded({ field: "commit", limit: commitBytes, actual: this.bytes, unit: "bytes", remedy })
  }

  private room(): Fault.Fault | undefined {
    this.count++
    const limit = this.about.limits.commitEvents
    if (this.count <= limit) return undefined
    const remedy = "split the commit into smaller ones"
    return new LimitExceeded({ field: "commit", limit, actual: this.count, unit: "events and writes", remedy })
  }
}

// A list that is begun empty and added to makes room for 17 at once; most never hold a second.
const added = <A>(list: Array<A> | undefined, item: A): Array<A> => {
  if (list === undefined) return [item]
  list.push(item)
  return list
}

/** Shared by all commits that have none of something, so that appending one event makes no empty arrays. */
const none: Array<never> = []

const emptyFault = new Invalid({
  field: "events",
  reason: "an append needs at least one event",
  remedy: "leave it out, or expect a stream with check"
})
