/** Handlers that note what they are given, and runs that end when they were given enough. */
import type { StoreShape } from "@persist/core"
import { anyEvents } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { broken, show } from "./assertion.ts"
import type { Core } from "./core.ts"

const early = { startImmediately: true } as const

/** A handler that notes what it is given, and lets others wait for it. */
export interface Handled {
  readonly all: Array<unknown>
  /** Waits until something was handled, and gives it. */
  readonly next: Effect.Effect<unknown>
  readonly handle: (event: { readonly data: unknown }) => Effect.Effect<void>
}

/** Makes a handler that notes. */
export const noting = Effect.fnUntraced(function*() {
  const queue = yield* Queue.unbounded<unknown>()
  const all: Array<unknown> = []
  const handled: Handled = {
    all,
    next: Queue.take(queue),
    handle: ({ data }) =>
      Effect.suspend(() => {
        all.push(data)
        return Effect.asVoid(Queue.offer(queue, data))
      })
  }
  return handled
})

/** Waits until this many events were handled in all; whatever ends the run before that breaks the law. */
export const untilHandled = <A, E>(handled: Handled, many: number, run: Fiber.Fiber<A, E>) =>
  Effect.raceFirst(
    Effect.whileLoop({ while: () => handled.all.length < many, body: () => handled.next, step: () => undefined }),
    Effect.flatMap(Fiber.join(run), (ended) => broken(`the run ended after ${handled.all.length}: ${show(ended)}`))
  )

/** Runs a subscription named `"runner"` until so many events were handled in all, then stops it as a restart would. */
export const runUntil = Effect.fnUntraced(function*(core: Core, store: StoreShape, handled: Handled, many: number) {
  const fiber = yield* Effect.forkChild(
    core.runSubscription(store, { name: "runner", events: anyEvents, handle: handled.handle }),
    early
  )
  yield* untilHandled(handled, many, fiber)
  yield* Fiber.interrupt(fiber)
})

/** How far a reader has saved; -1 where there is none. */
export const positionOf = (core: Core, store: StoreShape, name: string) =>
  Effect.map(core.readCheckpoint(store, name), Option.match({ onNone: () => -1, onSome: ({ position }) => position }))

/** Waits until a reader's checkpoint has come to a position, looking after every commit. */
export const savedAt = (core: Core, store: StoreShape, name: string, position: number) =>
  store.changes.pipe(
    Stream.mapEffect(() => positionOf(core, store, name)),
    Stream.takeUntil((saved) => saved >= position),
    Stream.runDrain
  )
