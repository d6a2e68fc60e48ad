/** Random commands to a store, as data that fast-check can shrink and show, and what a store answers to each. */
import type { Ability, BackendShape, Commit, Expectation, NewEvent, Outcome, Payload, Write } from "@persist/core"
import { origin, Position, Seq, unbounded } from "@persist/core"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as fc from "fast-check"
import { changedSince, commit, del, event, expectKey, expectStream, put, readAllOf } from "./given.ts"

/** A place in the total order that both stores know: the `nth` position they told so far, or the start where there is none. */
type Told = number

/** One commit: what it expects by seq, or by the position of an earlier write. */
export interface Plan {
  readonly id: string | undefined
  readonly streams: ReadonlyArray<readonly [stream: string, expected: { readonly fromLast: number } | 0 | "exists"]>
  readonly keys: ReadonlyArray<readonly [key: string, expected: { readonly told: Told } | "absent" | "exists"]>
  readonly append: ReadonlyArray<readonly [stream: string, events: ReadonlyArray<Partial<NewEvent>>]>
  readonly write: ReadonlyArray<
    readonly ["put" | "delete", namespace: string, key: string, value: Payload, meta?: string]
  >
  readonly clear: string | undefined
  readonly truncate: ReadonlyArray<readonly [stream: string, before: number]>
}

/** Something to ask of a store. */
export type Command =
  | { readonly _tag: "Commit"; readonly plans: ReadonlyArray<Plan> }
  | { readonly _tag: "Again"; readonly nth: number }
  | { readonly _tag: "ReadStream"; readonly stream: string; readonly range: readonly [number, number, number, boolean] }
  | {
    readonly _tag: "ReadAll"
    readonly range: readonly [after: Told, to: Told, limit: number]
    readonly prefix: string
    readonly types: ReadonlyArray<string> | undefined
    readonly reverse: boolean
  }
  | { readonly _tag: "Streams"; readonly prefix: string; readonly after: string | undefined; readonly limit: number }
  | { readonly _tag: "Get"; readonly keys: ReadonlyArray<readonly [namespace: string, key: string]> }
  | {
    readonly _tag: "Scan"
    readonly namespace: string
    readonly bounds: readonly [gte: string | undefined, lt: string | undefined]
    readonly limit: number
    readonly reverse: boolean
  }
  | { readonly _tag: "Changed"; readonly namespace: string; readonly after: Told; readonly limit: number }
  | { readonly _tag: "Namespaces"; readonly after: string | undefined; readonly limit: number }
  | { readonly _tag: "Resolve"; readonly id: string }
  | { readonly _tag: "Head" }
  | { readonly _tag: "Reopen" }

const streams = fc.constantFrom("a", "a%", "ba", "A", "\uffff", "\u{1f600}")
const keys = fc.constantFrom("k", "k ", "K", "\uffff", "\u{1f600}")
const namespaces = fc.constantFrom("n", "N", "n2")
const types = fc.constantFrom("T", "t", "U")
const ids = fc.constantFrom("i", "I", "j")
const few = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(100))
const told = fc.nat({ max: 30 })
const maybe = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined })

const payloads = (lacks: ReadonlySet<Ability>): fc.Arbitrary<Payload> => {
  const texts = fc.constantFrom("1", "null", "{\"b\": 1,\"a\":\"\u00e9\"}", "\"\u0000\"")
  return lacks.has("bytes") ? texts : fc.oneof(texts, fc.uint8Array({ maxLength: 3 }))
}

// Mostly nothing, so that most commits happen.
const seldom = <A>(arbitrary: fc.Arbitrary<ReadonlyArray<A>>): fc.Arbitrary<ReadonlyArray<A>> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant<ReadonlyArray<A>>([]) }, { weight: 1, arbitrary })

const eventsOf = (lacks: ReadonlySet<Ability>) =>
  fc.record({
    type: types,
    data: payloads(lacks),
    meta: lacks.has("meta") ? fc.constant(undefined) : maybe(fc.constantFrom("{}", "{\"m\":1}")),
    at: fc.nat(),
    id: maybe(fc.constantFrom("", "id"))
  })

const writes = (lacks: ReadonlySet<Ability>): fc.Arbitrary<Plan["write"]> =>
  fc.uniqueArray(
    fc.oneof(
      {
        weight: 2,
        arbitrary: lacks.has("meta")
          ? fc.tuple(fc.constant("put" as const), namespaces, keys, payloads(lacks))
          : fc.tuple(fc.constant("put" as const), namespaces, keys, payloads(lacks), fc.constantFrom("{}", "1"))
      },
      { weight: 2, arbitrary: fc.tuple(fc.constant("put" as const), namespaces, keys, payloads(lacks)) },
      ...lacks.has("delete")
        ? []
        : [{ weight: 1, arbitrary: fc.tuple(fc.constant("delete" as const), namespaces, keys, fc.constant("")) }]
    ),
    { selector: ([, namespace, key]) => `${namespace} ${key}`, maxLength: 3 }
  )

const firstOf = { selector: ([name]: readonly [string, ...ReadonlyArray<unknown>]) => name, maxLength: 2 }

const expectedStreams: fc.Arbitrary<Plan["streams"]> = seldom(fc.uniqueArray(
  fc.tuple(
    streams,
    fc.oneof(
      fc.record({ fromLast: fc.constantFrom(0, 0, 0, -1, 1) }),
      fc.constantFrom(0 as const, "exists" as const)
    )
  ),
  firstOf
))

const expectedKeys: fc.Arbitrary<Plan["keys"]> = seldom(fc.uniqueArray(
  fc.tuple(keys, fc.oneof(fc.record({ told }), fc.constantFrom("absent" as const, "exists" as const))),
  firstOf
))

const plans = (lacks: ReadonlySet<Ability>): fc.Arbitrary<Plan> => {
  const unless = <A>(ability: Ability, arbitrary: fc.Arbitrary<A>, otherwise: A) =>
    lacks.has(ability) ? fc.constant(otherwise) : arbitrary
  return fc.record({
    id: unless("resolve", fc.option(ids, { nil: undefined, freq: 2 }), undefined),
    streams: expectedStreams,
    keys: expectedKeys,
    append: fc.uniqueArray(fc.tuple(streams, fc.array(eventsOf(lacks), { minLength: 1, maxLength: 3 })), firstOf),
    write: writes(lacks),
    clear: unless("clear", fc.option(fc.constant("n2"), { nil: undefined, freq: 8 }), undefined),
    truncate: unless("truncate", seldom(fc.uniqueArray(fc.tuple(streams, fc.integer({ min: 1, max: 5 })), firstOf)), [])
  })
    .map((plan) => ({ ...plan, write: plan.write.filter(([, namespace]) => namespace !== plan.clear) }))
    .filter((plan) =>
      plan.append.length + plan.write.length + plan.truncate.length + plan.streams.length + plan.keys.length > 0
      || plan.clear !== undefined
    )
}

/**
 * Commands for stores without these abilities, of which `reopen` is asked for only where it may. A store that isn't
 * atomic gets none: nearly every commit here does several things.
 */
export const commands = (lacks: ReadonlySet<Ability>, reopen: boolean): fc.Arbitrary<ReadonlyArray<Command>> => {
  const commits = fc.record({
    _tag: fc.constant("Commit" as const),
    plans: fc.array(plans(lacks), { minLength: 1, maxLength: 3 })
  })
  const reads = fc.record({
    _tag: fc.constant("ReadStream" as const),
    stream: streams,
    range: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat({ max: 8 }), few, fc.boolean())
  })
  const tail: Array<[Ability | "reopen", fc.Arbitrary<Command>]> = [
    [
      "readAll",
      fc.record({
        _tag: fc.constant("ReadAll" as const),
        range: fc.oneof(fc.tuple(told, told, few), fc.tuple(fc.constant(0), fc.constant(0), few)),
        prefix: fc.constantFrom("", "a", "a%", "\u{1f600}"),
        types: maybe(fc.uniqueArray(types, { maxLength: 3 })),
        reverse: fc.boolean()
      })
    ],
    [
      "streams",
      fc.record({
        _tag: fc.constant("Streams" as const),
        prefix: fc.constantFrom("", "a", "a%"),
        after: maybe(streams),
        limit: few
      })
    ],
    [
      "scan",
      fc.record({
        _tag: fc.constant("Scan" as const),
        namespace: namespaces,
        bounds: fc.tuple(maybe(keys), maybe(keys)),
        limit: few,
        reverse: fc.boolean()
      })
    ],
    ["changed", fc.record({ _tag: fc.constant("Changed" as const), namespace: namespaces, after: told, limit: few })],
    ["namespaces", fc.record({ _tag: fc.constant("Namespaces" as const), after: maybe(namespaces), limit: few })],
    ["resolve", fc.record({ _tag: fc.constant("Resolve" as const), id: ids })],
    ["resolve", fc.record({ _tag: fc.constant("Again" as const), nth: fc.nat({ max: 9 }) })],
    ["reopen", fc.constant({ _tag: "Reopen" as const })]
  ]
  const gets = fc.record({
    _tag: fc.constant("Get" as const),
    keys: fc.array(fc.tuple(namespaces, keys), { minLength: 1, maxLength: 3 })
  })
  const asked = tail.filter(([need]) => need === "reopen" ? reopen : !lacks.has(need)).map(([, arbitrary]) => arbitrary)
  const other = fc.oneof(reads, gets, fc.constant<Command>({ _tag: "Head" }), ...asked)
  return fc.array(
    fc.oneof<Array<fc.WeightedArbitrary<Command>>>({ weight: 1, arbitrary: commits }, { weight: 2, arbitrary: other }),
    { minLength: 1, maxLength: 40, size: "max" }
  )
}

/** A position in an answer: two stores number alike, not equally. */
export class At {
  readonly position: number
  constructor(position: number) {
    this.position = position
  }
}

/** What is remembered of a store between commands: the positions it told, and the commits it was sent. */
export interface Session {
  readonly told: Array<Position>
  readonly lastSeqs: Map<string, number>
  readonly sent: Array<Commit>
}

const toldAt = ({ told: all }: Session, nth: Told): Position => all[nth % (all.length + 1) - 1] ?? origin

const planned = (plan: Plan, session: Session): Commit => {
  const expect: Array<Expectation> = [
    ...plan.streams.map(([stream, expected]) => {
      const last = session.lastSeqs.get(stream) ?? 0
      return expectStream(stream, typeof expected === "object" ? Math.max(0, last + expected.fromLast) : expected)
    }),
    ...plan.keys.map(([key, expected]) =>
      expectKey(key, typeof expected === "string" ? expected : toldAt(session, expected.told))
    )
  ]
  const write: Array<Write> = [
    ...plan.write.map(([way, namespace, key, value, meta]) =>
      way === "put" ? put(key, value, { namespace, meta }) : del(key, namespace)
    ),
    ...plan.clear === undefined ? [] : [{ _tag: "Clear", namespace: plan.clear } as const]
  ]
  return commit({
    identity: plan.id === undefined ? undefined : { id: plan.id, digest: JSON.stringify(plan) },
    expect,
    append: plan.append.map(([stream, events]) => {
      const [first, ...rest] = events.map((each) => event("", each))
      return { stream, events: [first ?? event(""), ...rest] }
    }),
    write,
    truncate: plan.truncate.map(([stream, before]) => ({ stream, before: Seq(before) }))
  })
}

/** Sends a command, and gives the answer in a form that can be compared to another store's: see {@link At}. */
export const perform = Effect.fnUntraced(function*(backend: BackendShape, session: Session, command: Command) {
  switch (command._tag) {
    case "Commit":
      return yield* send(backend, session, command.plans.map((plan) => planned(plan, session)))
    case "Again": {
      const again = session.sent[command.nth % Math.max(1, session.sent.length)]
      return again === undefined ? [] : yield* send(backend, session, [again])
    }
    case "ReadStream": {
      const [from, to, limit, reverse] = command.range
      return placed(yield* backend.readStream({ stream: command.stream, from: Seq(from), to: Seq(to), limit, reverse }))
    }
    case "ReadAll": {
      const { prefix, range: [from, until, limit], reverse, types: filter } = command
      const [after, to] = [toldAt(session, from), toldAt(session, until) || Position(unbounded)]
      if (!reverse) {
        return placed(yield* readAllOf(backend, { after, to, prefix, limit, ...filter && { types: filter } }))
      }
      return placed((yield* backend.readAll({ after, to, prefix, types: filter, limit, reverse })).items)
    }
    case "Streams":
      return yield* backend.streams(command)
    case "Get":
      return placed(yield* backend.get(command.keys.map(([namespace, key]) => ({ namespace, key }))))
    case "Scan": {
      const [gte, lt] = command.bounds
      return placed(yield* backend.scan({ ...command, gte, lt }))
    }
    case "Changed":
      return placed(yield* changedSince(backend, toldAt(session, command.after), command.limit, command.namespace))
    case "Namespaces":
      return yield* backend.namespaces(command)
    case "Resolve":
      return placed(Option.getOrUndefined(yield* backend.resolve(command.id)))
    case "Head":
      return new At(yield* backend.head)
    case "Reopen":
      return "reopened"
  }
})

const send = Effect.fnUntraced(function*(backend: BackendShape, session: Session, batch: ReadonlyArray<Commit>) {
  if (!NonEmpty.isReadonlyArrayNonEmpty(batch)) return []
  const outcomes = yield* backend.commit(batch)
  session.sent.push(...batch.filter(({ identity }) => identity !== undefined))
  for (const outcome of outcomes) {
    if (outcome._tag !== "Committed") continue
    session.told.push(...outcome.appended.map(({ lastPosition }) => lastPosition), ...outcome.revisions)
    for (const { last, stream } of outcome.appended) session.lastSeqs.set(stream, last)
  }
  return outcomes.map(placedOutcome)
})

// A refusal is told in the store's own words; a conflict on a key carries positions.
const placedOutcome = (outcome: Outcome): unknown => {
  if (outcome._tag === "Refused") return { _tag: outcome._tag, error: outcome.error._tag }
  if (outcome._tag === "Committed" || outcome.expectation._tag === "Stream") return placed(outcome)
  const { expected } = outcome.expectation
  return {
    ...outcome,
    actual: new At(outcome.actual),
    expectation: { ...outcome.expectation, expected: typeof expected === "number" ? new At(expected) : expected }
  }
}

const positions = new Set(["position", "firstPosition", "lastPosition", "revision", "revisions"])

/** An answer with its positions marked as such, wherever they are. */
const placed = (value: unknown, field = ""): unknown => {
  if (Array.isArray(value)) return value.map((item: unknown) => placed(item, field))
  if (typeof value === "number" && positions.has(field)) return new At(value)
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, placed(item, name)]))
}
