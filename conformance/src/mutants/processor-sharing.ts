/** Mutants that share badly: they take too much, keep too much, or lose order. */
import type { Commit } from "@persist/core"
import { knownProcessors } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import { commits } from "../altered.ts"
import { processing } from "../processing.ts"
import { processorMutant, runningOver } from "../processor-mutant.ts"

// Without the writes to a namespace that are as said.
const withoutWrites = (commit: Commit, namespace: string, tag: Commit["write"][number]["_tag"]): Commit => ({
  ...commit,
  write: commit.write.filter((write) => write.namespace !== namespace || write._tag !== tag)
})

/** Broken in who runs what. */
export const processorSharing = [
  processorMutant("everything everywhere", "gives each partition the events of all of them", {
    subscription: (definition) => {
      const whole = processing.subscription({ ...definition, partitions: 1 })
      const parts = processing.subscription(definition)
      return { ...parts, assign: (store) => whole.assign(store, { index: 0, of: 1 }) }
    }
  }, [
    "the partitions of a processor together handle every event once, those of a key in order",
    "whoever comes gets its share of what is run, and nothing is lost or handled twice by it",
    "a processor is refused with another number of partitions, until it's forgotten and begins anew",
    "whoever waits for a processor goes on when each partition is done with what was there, and not before"
  ]),

  processorMutant("last things first", "handles the events of a page from its end", {
    subscription: (definition) => {
      const right = processing.subscription(definition)
      return {
        ...right,
        assign: (store, partition) =>
          Effect.map(right.assign(store, partition), ({ source, work }) => ({
            work,
            source: {
              ...source,
              read: (after, to) =>
                Effect.map(source.read(after, to), ({ items, through }) => ({ items: items.toReversed(), through }))
            }
          }))
      }
    }
  }, [
    "the partitions of a processor together handle every event once, those of a key in order",
    "whoever leaves finishes what it has in hand, and another goes on at once where it was",
    "a processor is refused with another number of partitions, until it's forgotten and begins anew",
    "an event that fails is tried again as often as its policy says, and then its partition stops there",
    "an event that fails too often is parked with its failures, and holds back only what follows of its key",
    "a parked event that is retried goes through before what waits behind it, and that in order",
    "a dropped event is never handled, not even after a reset, and what waits behind it goes on"
  ]),

  runningOver(
    "keeps its leases",
    "doesn't give back what isn't its own any more",
    (backend) => commits(backend, (commit) => withoutWrites(commit, "$lease", "Delete")),
    [
      "whoever comes gets its share of what is run, and nothing is lost or handled twice by it",
      "a processor that is paused stands still, whoever runs it, and goes on when it's resumed",
      "health tells who runs each partition and what is left, and misses what nobody runs any more"
    ]
  ),

  processorMutant("drops what is in hand", "lets whoever leaves interrupt a handler", {
    subscription: (definition) =>
      processing.subscription({
        ...definition,
        handle: (event, delivery) => Effect.interruptible(definition.handle(event, delivery))
      })
  }, [
    "whoever leaves finishes what it has in hand, and another goes on at once where it was"
  ]),

  runningOver(
    "no fence",
    "lets whoever lost a partition commit what it still had in hand",
    (backend) =>
      commits(backend, (commit) => ({
        ...commit,
        expect: commit.expect.filter((one) => one._tag === "Stream" || one.namespace !== "$checkpoint")
      })),
    ["whoever is silent for its patience loses what it runs, and what it still commits has no effect"]
  ),

  processorMutant("impatient", "takes over from whoever was silent for a third of its patience", {
    run: (store, processors, options) =>
      processing.run(store, processors, { ...options, patience: Math.ceil((options?.patience ?? 10_000) / 3) })
  }, [
    "whoever is silent for its patience loses what it runs, and what it still commits has no effect"
  ]),

  processorMutant("takes any number", "runs a processor with whatever number of partitions it asks for", {
    run: (store, processors, options) =>
      Effect.andThen(
        Effect.forEach(processors, ({ guarantee, kind, name, partitions }) =>
          knownProcessors(store).put(name, { guarantee, kind, partitions })),
        processing.run(store, processors, options)
      )
  }, [
    "a processor is refused with another number of partitions, until it's forgotten and begins anew"
  ]),

  processorMutant("forgets nothing", "leaves everything as it is when it should forget", {
    forget: () => Effect.void
  }, [
    "a processor is refused with another number of partitions, until it's forgotten and begins anew"
  ])
]
