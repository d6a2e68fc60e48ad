/** Mutants whose effects go astray: made beside the checkpoint, under other keys, or at the wrong time. */
import type { StoreShape } from "@persist/core"
import type { Processor } from "@persist/runner"
import type { Assignment } from "@persist/runner/processor"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { processing } from "../processing.ts"
import { processorMutant } from "../processor-mutant.ts"

// A processor that does something else where it's assigned.
const assigned = <R, P extends Processor<R>>(
  right: P,
  wrong: (assignment: Assignment<R>, store: StoreShape) => Assignment<R>
): P => ({
  ...right,
  assign: (store, partition) => Effect.map(right.assign(store, partition), (assignment) => wrong(assignment, store))
})

// Commits what is made of events by itself, before the checkpoint.
const beforehand = <R>({ source, work }: Assignment<R>, store: StoreShape): Assignment<R> => ({
  source,
  work: {
    ...work,
    handle: (events, ...rest) =>
      Effect.flatMap(work.handle(events, ...rest), (handled) =>
        handled.ops.length === 0
          ? Effect.succeed(handled)
          : Effect.as(store.commit(handled.ops), { ...handled, ops: [] }))
  }
})

// In all processes together.
let deliveries = 0

/** Broken in what processors bring about. */
export const processorEffects = [
  processorMutant("reacts beforehand", "commits what a reaction makes before its checkpoint", {
    reaction: (definition) => assigned(processing.reaction(definition), beforehand)
  }, [
    "whoever is silent for its patience loses what it runs, and what it still commits has no effect",
    "what a reaction makes of an event happens once, at whatever commit its process dies"
  ]),

  processorMutant("commands beforehand", "commits what a workflow comes to before its checkpoint", {
    workflow: (definition) => assigned(processing.workflow(definition), beforehand)
  }, [
    "a workflow's state and what it commands are one commit, at whatever commit its process dies"
  ]),

  processorMutant("keeps states beforehand", "commits a read model's states before its checkpoint", {
    readModel: (model, options) => assigned(processing.readModel(model, options), beforehand)
  }, [
    "a read model that runners keep takes every event into account once, at whatever commit its process dies"
  ]),

  processorMutant("a key for each time", "gives an event another key each time", {
    subscription: (definition) =>
      processing.subscription({
        ...definition,
        handle: (event, delivery) => definition.handle(event, { ...delivery, key: `${delivery.key}/${deliveries++}` })
      })
  }, [
    "an event that is handled again after a crash has the key it had, and no other event has that"
  ]),

  processorMutant("rings at once", "takes every timer for due", {
    workflow: (definition) =>
      assigned(processing.workflow(definition), ({ source, work }) => ({
        source,
        work: work.alarm === undefined ? work : {
          ...work,
          alarm: { ...work.alarm, next: Effect.map(work.alarm.next, Option.map(() => 0)) }
        }
      }))
  }, [
    "a timer fires once, when it's due and not before, whoever runs its instance then"
  ]),

  processorMutant("rings for nobody", "has no timers", {
    workflow: (definition) =>
      assigned(processing.workflow(definition), ({ source, work }) => ({ source, work: { ...work, alarm: undefined } }))
  }, [
    "a timer fires once, when it's due and not before, whoever runs its instance then"
  ])
]
