/** persist's log through Promises and through Effect. */
import type { StoreShape } from "@persist/core"
import { load, project, Projection, saveSnapshot } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Store } from "persist"
import { checkCount, fold, type Folded, nothing, type Order, orderOf, placed } from "../payload.ts"
import { afterLastSeq, type Contend, contending } from "./contend.ts"
import { byPromise, type LogSide, type Loop } from "./side.ts"

const inputOf = (order: Order) => ({ type: placed, data: order })

/** The data of an untyped event is any JSON; what is there is what the bench has written. */
export const orderIn = ({ data }: { readonly data: unknown }): Order => data as Order

/** Repeats a verb that is an effect: each client a fiber; `check` throws where an answer isn't what it has to be. */
export const byEffect = <Input, Answer>(
  verb: (input: Input) => Effect.Effect<Answer, unknown>,
  check: (answer: Answer) => void = () => undefined
): Loop<Input> =>
(clients, each, input) => {
  const client = (number: number) =>
    Effect.suspend(() => {
      let call = 0
      return Effect.whileLoop({
        while: () => call < each,
        body: () => verb(input(number, call++)),
        step: check
      })
    })
  return clients === 1
    ? Effect.runPromise(client(0))
    : Effect.runPromise(Effect.forEach(Array.from({ length: clients }, (_, n) => n), client, {
      concurrency: "unbounded",
      discard: true
    }))
}

/** The fold as a projection. */
const orders = Projection.make({
  name: "orders",
  version: 1,
  seed: nothing(),
  step: ({ events, total }: Folded, event): Folded => ({ events: events + 1, total: total + orderIn(event).total })
})

/** The log through Promises. */
export const promiseLogSide = (store: Store): LogSide => {
  const log = store.log()
  const append = async (stream: string, expected: number) => {
    const answer = await log.append(stream, inputOf(orderOf(expected)), { expected })
    return answer._tag === "Conflict" ? answer.actual : undefined
  }
  return {
    append: byPromise(({ orders: some, stream }) => log.append(stream, some.map(inputOf), { expected: "any" })),
    contend: contending(afterLastSeq((stream) => log.lastSeq(stream), append)),
    fold: byPromise(async ({ events, stream }) => {
      const { state } = await store.project(orders, { stream })
      checkCount(state.events, events)
    }),
    load: byPromise(async ({ events, stream }) => {
      const { state } = await store.load(orders, { stream })
      checkCount(state.events, events)
    }),
    saveSnapshot: async (stream) => void await store.saveSnapshot(orders, { stream }),
    readAll: async (events) => {
      const state = nothing()
      for await (const event of log.readAll()) fold(state, orderIn(event))
      checkCount(state.events, events)
    }
  }
}

const foldAll = <E>(read: Stream.Stream<{ readonly data: unknown }, E>, events: number) =>
  Effect.suspend(() => {
    const state = nothing()
    const folded = Stream.runForEachArray(read, (some) =>
      Effect.sync(() => some.forEach((event) => fold(state, orderIn(event)))))
    return Effect.map(folded, () =>
      checkCount(state.events, events))
  })

/** The log through Effect. */
export const effectLogSide = (store: StoreShape): LogSide => {
  const log = store.log()
  const contend: Contend = (writers, millis, stream) => {
    const until = performance.now() + millis
    const wins = Effect.fnUntraced(function*() {
      let won = 0
      let expected: number | undefined
      while (performance.now() < until) {
        expected ??= yield* log.lastSeq(stream)
        const answer = yield* log.append(stream, inputOf(orderOf(expected)), { expected })
        expected = answer._tag === "Conflict" ? answer.actual : undefined
        if (expected === undefined) won++
      }
      return won
    })
    return Effect.runPromise(Effect.all(Array.from({ length: writers }, wins), { concurrency: "unbounded" }))
  }
  return {
    append: byEffect(({ orders: some, stream }) => log.append(stream, some.map(inputOf), { expected: "any" })),
    contend,
    fold: byEffect(({ events, stream }) =>
      Effect.map(project(store, orders, { stream }), ({ state }) => checkCount(state.events, events))
    ),
    load: byEffect(({ events, stream }) =>
      Effect.map(load(store, orders, { stream }), ({ state }) => checkCount(state.events, events))
    ),
    saveSnapshot: (stream) => Effect.runPromise(Effect.asVoid(saveSnapshot(store, orders, { stream }))),
    readAll: (events) => Effect.runPromise(foldAll(log.readAll(), events))
  }
}
