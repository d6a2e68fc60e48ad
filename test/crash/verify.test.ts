/** The judge judged: what a store keeps is passed, and each kind of breach is found, by name. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-memory"
import { type BackendShape, catchUp, makeStore, origin, Position, Seq, type StoreShape, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { BreachKind } from "./breach.ts"
import { add, type Claim, type ClaimEvent, type Sum, sums } from "./claims.ts"
import { Journal } from "./journal.ts"
import type { Message } from "./message.ts"
import { recorded } from "./recording.ts"
import { Verifier } from "./verify.ts"

const claim = (by: string, amount: number): { readonly type: string; readonly data: Claim } => ({
  type: "Claimed",
  data: { by, of: 0, many: 1, after: null, amount, pad: "" }
})

/** A little of everything, and a page of it that somebody read. */
const use = Effect.fnUntraced(function*(store: StoreShape, model: typeof sums) {
  const log = store.log()
  for (const [n, stream] of ["m/0", "m/1", "c/0", "t/0", "t/0"].entries()) {
    yield* log.append(stream, claim(`a${n}`, n), { expected: "any", id: `a${n}` })
  }
  yield* store.kv("documents").putMany([["a", 1], ["b", 2]], { id: "put" })
  yield* store.commit([
    log.ops.append("m/0", claim("all", 5), { expected: 1 }),
    store.kv("documents").ops.delete("a"),
    store.kv("scratch").ops.put("k", 1),
    log.ops.truncate("t/0", 2)
  ], { id: "all" })
  yield* store.kv("scratch").clear({ id: "clear" })
  yield* catchUp(store, model)
  const { backend } = store.engine
  yield* backend.readAll({
    after: origin,
    to: Position(unbounded),
    prefix: "",
    types: undefined,
    limit: 100,
    reverse: false
  })
  yield* backend.get([{ namespace: "documents", key: "b" }])
})

type Edit = (message: Message) => ReadonlyArray<Message>

/** What is found when a store was used, `edit` was told of it instead, and `spoil` is what it has become. */
const found = (edit: Edit, spoil: (backend: BackendShape) => BackendShape, model = sums) =>
  Effect.scoped(Effect.gen(function*() {
    const backend = yield* make()
    const journal = new Journal()
    const say = (message: Message) => edit(message).forEach((each) => journal.hear("it", each))
    yield* use(yield* makeStore(recorded(backend, say)), model)
    journal.gone("it")
    yield* new Verifier(journal).look(spoil(backend))
    return journal.breaches
  }))

const asItWas: Edit = (message) => [message]
const asItIs = (backend: BackendShape): BackendShape => backend

/** Changes what one verb gives. */
const changed = <K extends "readAll" | "readStream" | "scan" | "changed" | "streams" | "namespaces">(
  verb: K,
  change: (given: Effect.Success<ReturnType<BackendShape[K]>>) => Effect.Success<ReturnType<BackendShape[K]>>
) =>
(backend: BackendShape): BackendShape => ({
  ...backend,
  [verb]: (range: never) => Effect.map(backend[verb](range) as Effect.Effect<never>, change) // of the same verb
})

const ofCommit = (message: Message, id: string): boolean =>
  message._tag === "Sent" && message.commits.some(({ identity }) => identity?.id === id)

/** Batches are numbered, so that the answer to a commit is found by its own number. */
const answerTo = (id: string, change: (answer: Message) => ReadonlyArray<Message>): Edit => {
  let batch = -1
  return (message) => {
    if (message._tag === "Sent" && ofCommit(message, id)) batch = message.batch
    return message._tag === "Answered" && message.batch === batch ? change(message) : [message]
  }
}

interface Case {
  readonly what: string
  readonly kind: BreachKind
  readonly edit?: () => Edit
  readonly spoil?: (backend: BackendShape) => BackendShape
}

const cases: ReadonlyArray<Case> = [
  {
    what: "an event is gone",
    kind: "lost",
    spoil: changed("readAll", (page) => ({ ...page, items: page.items.filter(({ seq }) => seq !== 2) }))
  },
  {
    what: "an event is gone from its stream only",
    kind: "lost",
    spoil: changed("readStream", (events) => events.slice(1))
  },
  { what: "a key is gone", kind: "lost", spoil: changed("scan", (entries) => entries.slice(1)) },
  {
    what: "a deletion is forgotten",
    kind: "lost",
    spoil: changed("changed", (page) => ({ ...page, items: page.items.filter(({ _tag }) => _tag === "Entry") }))
  },
  { what: "a namespace is gone", kind: "lost", spoil: changed("namespaces", (all) => all.slice(1)) },
  {
    what: "a stream has forgotten its last seq",
    kind: "lost",
    spoil: changed("streams", (all) => all.map((one) => ({ ...one, last: Seq(one.last - 1) })))
  },
  {
    what: "the head has gone back",
    kind: "lost",
    spoil: (backend) => ({ ...backend, head: Effect.map(backend.head, (head) => Position(head - 1)) })
  },
  {
    what: "a commit's id is forgotten",
    kind: "lost",
    spoil: (backend) => ({
      ...backend,
      resolve: (id) => id === "all" ? Effect.succeedNone : backend.resolve(id)
    })
  },
  {
    what: "a page was given whose last event never came to be",
    kind: "lost",
    edit: () => (message) =>
      message._tag === "Page"
        ? [{ ...message, events: [...message.events, [99, "m/0", 9, "x"] as const] }]
        : [message]
  },
  {
    what: "an event is there twice",
    kind: "altered",
    spoil: changed("readAll", (page) => ({ ...page, items: page.items.flatMap((each) => [each, each]) }))
  },
  {
    what: "an event has another content",
    kind: "phantom",
    spoil: changed("readAll", (page) => ({ ...page, items: page.items.map((each) => ({ ...each, data: "0" })) }))
  },
  {
    what: "a commit is there that the store said it couldn't do",
    kind: "phantom",
    edit: () =>
      answerTo("all", (answer) =>
        answer._tag === "Answered"
          ? [{ _tag: "Failed", batch: answer.batch, error: "Unavailable", message: "no" }]
          : [answer])
  },
  {
    what: "one id happened twice",
    kind: "duplicated",
    edit: () => {
      let sent: Message = { _tag: "Mark", name: "none" }
      const twice = answerTo(
        "all",
        (answer) => [answer, { ...sent, batch: -1 } as Message, { ...answer, batch: -1 } as Message]
      )
      return (message) => {
        if (ofCommit(message, "all")) sent = message
        return twice(message)
      }
    }
  },
  {
    what: "a reader was given something else at a position",
    kind: "reissued",
    edit: () => (message) =>
      message._tag === "Page"
        ? [{
          ...message,
          events: message.events.map(([position, stream, seq]) => [position, stream, seq, "x"] as const)
        }]
        : [message]
  },
  {
    what: "a reader was given a position, and an event below it was kept back",
    kind: "hidden",
    edit: () => (message) => message._tag === "Page" ? [{ ...message, events: message.events.slice(1) }] : [message]
  },
  {
    what: "of a commit without an answer only a part is known",
    kind: "torn",
    edit: () => answerTo("all", () => []),
    spoil: (backend) => ({
      ...backend,
      resolve: (id) =>
        Effect.map(backend.resolve(id), Option.map((one) => id === "all" ? { ...one, revisions: [] } : one))
    })
  },
  {
    what: "a commit happened in spite of what it expected",
    kind: "misjudged",
    edit: () => (message) =>
      message._tag === "Sent" && ofCommit(message, "all")
        ? [{
          ...message,
          commits: message.commits.map((commit) => ({
            ...commit,
            expect: [{ _tag: "Stream", stream: "m/0", expected: Seq(7) }]
          }))
        }]
        : [message]
  },
  {
    what: "a client was told otherwise than its commit went",
    kind: "misjudged",
    edit: () =>
      answerTo("all", (answer) =>
        answer._tag === "Answered" && answer.answers[0]?._tag === "Committed"
          ? [answer, { _tag: "Told", id: "all", answer: { ...answer.answers[0], position: Position(1) } }]
          : [answer])
  },
  {
    what: "the store died of a commit",
    kind: "fault",
    edit: () => (message) => [message, { _tag: "Trouble", error: "Died", message: "of something" }]
  }
]

describe("a store is held to its word", () => {
  it.effect("and passes where it keeps it", () =>
    Effect.map(found(asItWas, asItIs), (breaches) => assert.deepStrictEqual(breaches, [])))

  it.effect("a read model took an event twice: derived", () => {
    const twice = {
      ...sums,
      step: (sum: Sum, event: ClaimEvent, key: string) => add(sums.step(sum, event, key) ?? sum, event)
    }
    return Effect.map(
      found(asItWas, asItIs, twice),
      (breaches) => assert.deepStrictEqual(breaches.map(({ kind }) => kind), ["derived"])
    )
  })

  it.effect.each(cases)(
    "$what: $kind",
    ({ edit, kind, spoil }) =>
      Effect.map(
        found(edit?.() ?? asItWas, spoil ?? asItIs),
        (breaches) => assert.include(breaches.map((breach) => breach.kind), kind)
      )
  )
})
