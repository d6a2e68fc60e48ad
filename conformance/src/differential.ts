/** One run of random commands against two stores: their answers must be the same, but for how they number positions. */
import type { BackendShape } from "@persist/core"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as fc from "fast-check"
import { same, show } from "./assertion.ts"
import { type Command, commands } from "./commands.ts"
import type { Fixture, Place } from "./fixture.ts"
import { model } from "./model.ts"
import { At, perform, type Session } from "./performing.ts"

/** How long to look for a difference. */
export interface Search {
  /** How many runs of up to 40 commands: 100. */
  readonly runs?: number
  /** Where to begin: the same seed gives the same runs. Without one it is different each time. */
  readonly seed?: number
}

/** Two stores answered differently: the fewest commands that show it, the last of which it is. */
export class Differs extends Data.TaggedError("Differs")<{
  readonly commands: ReadonlyArray<Command>
  readonly answers: readonly [left: string, right: string]
  /** What to pass as `seed` to see it again. */
  readonly seed: number
}> {
  override get message(): string {
    const [left, right] = this.answers
    const lines = this.commands.map((command, n) => `  ${n + 1}. ${show(command)}`)
    return [`two stores differ (seed ${this.seed}):`, ...lines, `  one: ${left}`, `  other: ${right}`].join("\n")
  }
}

/**
 * Sends the same random commands to two kinds of store, new ones for each run, and compares every answer.
 * Fails with `Differs` where two answers do, shrunk to the fewest commands.
 */
export const differential = Effect.fnUntraced(
  function*(left: Fixture, right: Fixture, { runs = 100, seed }: Search = {}) {
    const [one, two] = [yield* aboutOf(left), yield* aboutOf(right)]
    const lacks = new Set([...one.lacks, ...two.lacks])
    const reopen = one.durability !== "memory" && two.durability !== "memory"
    let found: Difference = { at: 0, answers: ["", ""] }
    const details = yield* Effect.promise(() =>
      fc.check(
        fc.asyncProperty(commands(lacks, reopen), async (run) => {
          const difference = await Effect.runPromise(Effect.scoped(compare(left, right, run)))
          if (difference !== undefined) found = difference
          return difference === undefined
        }),
        { numRuns: runs, ...seed === undefined ? {} : { seed } }
      )
    )
    if (details.counterexample === null) return
    const [run] = details.counterexample
    return yield* new Differs({ commands: run.slice(0, found.at + 1), answers: found.answers, seed: details.seed })
  }
)

/** Compares a kind of store to the plain model of the protocol. Fails as {@link differential} does. */
export const agreesWithModel = (fixture: Fixture, search: Search = {}) =>
  Effect.flatMap(aboutOf(fixture), ({ limits }) => differential(model(limits), fixture, search))

const aboutOf = (fixture: Fixture) =>
  Effect.scoped(Effect.flatMap(fixture.place, (place) => Effect.map(place.open, ({ about }) => about)))

// A store that is closed and opened again between two commands.
const begin = Effect.fnUntraced(function*(fixture: Fixture) {
  const place = yield* fixture.place
  const session: Session = { told: [], lastSeqs: new Map(), sent: [] }
  let [backend, scope] = yield* opened(place)
  yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
  return Effect.fnUntraced(function*(command: Command) {
    if (command._tag === "Reopen") {
      yield* Scope.close(scope, Exit.void)
      ;[backend, scope] = yield* opened(place)
    }
    return yield* perform(backend, session, command)
  })
})

const opened = Effect.fnUntraced(function*(place: Place) {
  const scope = yield* Scope.make()
  const backend: BackendShape = yield* Scope.provide(place.open, scope)
  return [backend, scope] as const
})

const compare = Effect.fnUntraced(function*(left: Fixture, right: Fixture, run: ReadonlyArray<Command>) {
  const [one, two] = [yield* begin(left), yield* begin(right)]
  const numbering: Numbering = []
  for (const [at, command] of run.entries()) {
    const [a, b] = [yield* Effect.result(one(command)), yield* Effect.result(two(command))]
    const answers = [a, b].map((result) =>
      result._tag === "Success" ? result.success : { failed: String(result.failure) }
    )
    if (!alike(answers[0], answers[1], numbering)) return { at, answers: [show(answers[0]), show(answers[1])] } as const
  }
  return undefined
})

interface Difference {
  readonly at: number
  readonly answers: readonly [left: string, right: string]
}

/** Which position of one store stands where which of the other does. */
type Numbering = Array<readonly [number, number]>

const alike = (a: unknown, b: unknown, numbering: Numbering): boolean => {
  if (a instanceof At && b instanceof At) return inStep(a.position, b.position, numbering)
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || a instanceof Uint8Array) {
    return same(a, b)
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [fields(a), new Map(fields(b))]
  return left.length === right.size
    && left.every(([key, value]) => right.has(key) && alike(value, right.get(key), numbering))
}

const fields = (value: object): ReadonlyArray<[string, unknown]> =>
  Object.entries(value).filter(([, field]) => Array.isArray(value) || field !== undefined)

// The order of any two positions must be the same in both, and so must be whether they are one.
const inStep = (a: number, b: number, numbering: Numbering): boolean => {
  if ((a === 0) !== (b === 0)) return false
  const isInStep = numbering.every(([left, right]) => Math.sign(a - left) === Math.sign(b - right))
  if (isInStep && numbering.every(([left]) => left !== a)) numbering.push([a, b])
  return isInStep
}
