/** Sends random commands to a store, and gives its answers in a form that can be compared to another store's. */
import type { BackendShape, Commit, Expectation, Outcome, Write } from "@persist/core"
import { origin, Position, Seq, unbounded } from "@persist/core"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Command, Plan, Told } from "./commands.ts"
import { changedSince, commit, del, event, expectKey, expectStream, put, readAllOf } from "./given.ts"

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
