/** Mutants that lose wake-ups. */
import type { BackendShape, Commit, Outcome, Signal } from "@persist/core"
import { makeSignal } from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Mutant, Wrong } from "../mutant.ts"
import { mutant, placeMutant } from "../mutant.ts"

// Announces commits by a signal of its own, whenever `when` says so.
const announcing = (
  backend: BackendShape,
  signal: Signal,
  when: (batch: ReadonlyArray<Commit>, outcomes: ReadonlyArray<Outcome>) => boolean
): Wrong => ({
  changes: signal.changes,
  commit: (batch) =>
    Effect.map(backend.commit(batch), (outcomes) => {
      if (when(batch, outcomes)) signal.notify()
      return outcomes
    })
})

const announces = (
  name: string,
  bug: string,
  begin: () => (batch: ReadonlyArray<Commit>) => boolean,
  breaks: ReadonlyArray<string>
): Mutant =>
  placeMutant(name, bug, () => {
    const signal = makeSignal()
    const when = begin()
    return (backend) => announcing(backend, signal, when)
  }, breaks)

/** Broken in `changes`. */
export const changes = [
  mutant("silent when opened", "tells nothing until the first commit", (backend) => ({
    changes: Stream.drop(backend.changes, 1)
  }), [
    "changes tells once when it is opened, though nothing was ever committed",
    "changes tells a listener who waits of the next commit",
    "changes tells of a commit that came between two elements",
    "changes tells a slow listener of the last of many commits",
    "changes tells of a commit that only writes keys",
    "changes tells of a commit that only truncates",
    "changes tells every listener",
    "a listener who goes leaves the others listening",
    "changes tells of what another handle committed"
  ]),

  mutant("tells once", "tells when it is opened, and never again", (backend) => ({
    changes: Stream.concat(Stream.take(backend.changes, 1), Stream.never)
  }), [
    "changes tells a listener who waits of the next commit",
    "changes tells of a commit that came between two elements",
    "changes tells a slow listener of the last of many commits",
    "changes tells of a commit that only writes keys",
    "changes tells of a commit that only truncates",
    "changes tells every listener",
    "a listener who goes leaves the others listening",
    "changes tells of what another handle committed",
    "who reads after each element of changes misses nothing of what many write"
  ]),

  mutant("ends", "ends after the first element", (backend) => ({ changes: Stream.take(backend.changes, 1) }), [
    "changes tells a listener who waits of the next commit",
    "changes tells of a commit that came between two elements",
    "changes tells a slow listener of the last of many commits",
    "changes tells of a commit that only writes keys",
    "changes tells of a commit that only truncates",
    "changes tells every listener",
    "a listener who goes leaves the others listening",
    "changes tells of what another handle committed",
    "who reads after each element of changes misses nothing of what many write"
  ]),

  placeMutant("nobody was listening", "tells only those who are waiting when the commit comes", () => {
    const waiting = new Set<Deferred.Deferred<void>>()
    const wait = Effect.suspend(() => {
      const deferred = Deferred.makeUnsafe<void>()
      waiting.add(deferred)
      return Effect.as(Deferred.await(deferred), [undefined] as const)
    })
    return (backend) => ({
      changes: Stream.concat(
        Stream.make(undefined),
        Stream.fromPull(Effect.succeed(wait))
      ),
      commit: (batch) =>
        Effect.tap(backend.commit(batch), () =>
          Effect.sync(() => {
            const woken = [...waiting]
            waiting.clear()
            for (const deferred of woken) Deferred.doneUnsafe(deferred, Effect.void)
          }))
    })
  }, [
    "changes tells of a commit that came between two elements",
    "changes tells a slow listener of the last of many commits",
    "changes tells of a commit that only writes keys",
    "changes tells of a commit that only truncates",
    "changes tells every listener",
    "a listener who goes leaves the others listening",
    "changes tells of what another handle committed"
  ]),

  announces("every eighth", "gathers announcements, and forgets the last of them", () => {
    let count = 0
    return () => ++count % 8 === 0
  }, [
    "changes tells a listener who waits of the next commit",
    "changes tells of a commit that came between two elements",
    "changes tells a slow listener of the last of many commits",
    "changes tells of a commit that only writes keys",
    "changes tells of a commit that only truncates",
    "changes tells every listener",
    "a listener who goes leaves the others listening",
    "changes tells of what another handle committed",
    "who reads after each element of changes misses nothing of what many write"
  ]),

  announces(
    "keys are no news",
    "tells nothing of a commit without events",
    () => (batch) => batch.some(({ append, truncate }) => append.length + truncate.length > 0),
    [
      "changes tells of a commit that only writes keys"
    ]
  ),

  announces(
    "truncations are no news",
    "tells nothing of a commit that only truncates",
    () => (batch) => batch.some(({ append, write }) => append.length + write.length > 0),
    [
      "changes tells of a commit that only truncates"
    ]
  ),

  placeMutant("first come, first served", "tells each piece of news to one listener only", () => {
    const signals: Array<Signal> = []
    return (backend) => ({
      changes: Stream.unwrap(Effect.sync(() => {
        const signal = makeSignal((count) => {
          if (count === 0) signals.splice(signals.indexOf(signal), 1)
        })
        signals.push(signal)
        return signal.changes
      })),
      commit: (batch) => Effect.tap(backend.commit(batch), () => Effect.sync(() => signals[0]?.notify()))
    })
  }, [
    "changes tells every listener",
    "who reads after each element of changes misses nothing of what many write"
  ]),

  placeMutant("the last one out", "stops telling everybody when one listener goes", () => {
    let left = false
    let most = 0
    const signal = makeSignal((count) => {
      left = left || count < most
      most = Math.max(most, count)
    })
    return (backend) => announcing(backend, signal, () => !left)
  }, [
    "a listener who goes leaves the others listening"
  ]),

  placeMutant(
    "news of its own",
    "tells only of what the handle itself committed",
    () => (backend) => announcing(backend, makeSignal(), () => true),
    [
      "changes tells of what another handle committed"
    ]
  )
]
