/** Wrappers that take an ability away as the protocol asks: declared in `about`, and refused when it is needed. */
import type { Ability, BackendShape, Commit, Outcome, Unsupported } from "@persist/core"
import { lackFault } from "@persist/core/fault"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import type { Wrapper } from "./fixture.ts"

/** Takes one ability away. A store of reduced means obeys every law that doesn't need what it lacks. */
export const lacking = (ability: Ability): Wrapper => ({
  name: `without ${ability}`,
  wrap: (backend) =>
    Effect.succeed({
      ...backend,
      ...refusingVerb(backend, ability),
      about: { ...backend.about, lacks: new Set([...backend.about.lacks, ability]) },
      commit: (batch) => commitWithout(backend, ability, batch)
    })
})

const unsupported = ({ about }: BackendShape, ability: Ability): Unsupported => lackFault(about.name, ability)

const refusingVerb = (backend: BackendShape, ability: Ability): Partial<BackendShape> => {
  const refuse = () => Effect.fail(unsupported(backend, ability))
  const verbs: Partial<Record<Ability, Partial<BackendShape>>> = {
    resolve: { resolve: refuse },
    readAll: { readAll: refuse },
    streams: { streams: refuse },
    scan: { scan: refuse },
    changed: { changed: refuse },
    namespaces: { namespaces: refuse }
  }
  return verbs[ability] ?? {}
}

// What needs the ability is refused on its own; the others of the batch go on together, in their order.
const commitWithout = Effect.fnUntraced(
  function*(backend: BackendShape, ability: Ability, batch: NonEmptyReadonlyArray<Commit>) {
    const refused: Outcome = { _tag: "Refused", error: unsupported(backend, ability) }
    const [first, ...rest] = batch.filter((commit) => !needed[ability](commit))
    const outcomes = first === undefined ? [] : [...yield* backend.commit([first, ...rest])]
    const next = (commit: Commit): Outcome => needed[ability](commit) ? refused : outcomes.shift() ?? refused
    const [head, ...tail] = batch
    return [next(head), ...tail.map(next)] as const
  }
)

const needed: Record<Ability, (commit: Commit) => boolean> = {
  atomic: doesSeveralThings,
  resolve: ({ identity }) => identity !== undefined,
  truncate: ({ truncate }) => truncate.length > 0,
  delete: ({ write }) => write.some(({ _tag }) => _tag === "Delete"),
  clear: ({ write }) => write.some(({ _tag }) => _tag === "Clear"),
  readAll: () => false,
  streams: () => false,
  scan: () => false,
  changed: () => false,
  namespaces: () => false,
  meta: ({ append, write }) =>
    append.some(({ events }) => events.some(({ meta }) => meta !== undefined))
    || write.some((op) => op._tag === "Put" && op.meta !== undefined),
  bytes: ({ append, write }) =>
    append.some(({ events }) => events.some(({ data }) => typeof data !== "string"))
    || write.some((op) => op._tag === "Put" && typeof op.value !== "string")
}

// One event, key or truncation, which may expect something only of the stream or key that it changes.
function doesSeveralThings({ append, expect, truncate, write }: Commit): boolean {
  const events = append.reduce((sum, each) => sum + each.events.length, 0)
  if (events + write.length + truncate.length !== 1) return true
  return expect.some((expectation) =>
    expectation._tag === "Stream"
      ? ![...append, ...truncate].some(({ stream }) => stream === expectation.stream)
      : !write.some((op) => op._tag !== "Clear" && op.namespace === expectation.namespace && op.key === expectation.key)
  )
}
