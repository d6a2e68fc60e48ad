/** Random commands to a store, as data that fast-check can shrink and show. */
import type { Ability, NewEvent, Payload } from "@persist/core"
import * as fc from "fast-check"

/** A place in the total order that both stores know: the nth position they told so far; 0 is the start. */
export type Told = number

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
