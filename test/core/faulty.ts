/** A memory backend that fails at the commit a test chooses, gives small pages, and tells what it was asked. */
import { make as makeMemory } from "@persist/backend-memory"
import {
  type AllRange,
  type BackendShape,
  type Commit,
  type Limits,
  OutcomeUnknown,
  Position,
  Unavailable
} from "@persist/core"
import * as Effect from "effect/Effect"

/** How a commit goes wrong: refused, lost after it happened, or with the process, before or after it happened. */
export type Fault = "refused" | "lost" | "dies before" | "dies after"

/** All of them. */
export const faults: ReadonlyArray<Fault> = ["refused", "lost", "dies before", "dies after"]

/** The backend, and what a test may do to it. */
export interface Faulty {
  readonly backend: BackendShape
  /** Every commit that was asked for, in order. */
  readonly commits: Array<Commit>
  /** Every page of events that was asked for, in order. */
  readonly reads: Array<AllRange>
  /** Lets the `n`th commit from now (1: the next) go wrong. */
  readonly failAt: (n: number, fault: Fault) => void
  /** Whether that has happened. */
  readonly failed: () => boolean
  /** No page of events holds more than this. */
  pageLimit: number
  /** No page looks further than this many positions, whether it finds events there or not. */
  pageStretch: number
}

/** Makes a new store that works until it's told otherwise. */
export const makeFaulty = (limits: Partial<Limits> = {}): Effect.Effect<Faulty> =>
  Effect.map(makeMemory({ limits }), (memory) => {
    const commits: Array<Commit> = []
    const reads: Array<AllRange> = []
    let next: { readonly at: number; readonly fault: Fault } | undefined
    const faulty: Faulty = {
      backend: {
        ...memory,
        commit: (batch) =>
          Effect.suspend(() => {
            commits.push(...batch)
            if (next === undefined || commits.length < next.at) return memory.commit(batch)
            const { fault } = next
            next = undefined
            if (fault === "refused") return Effect.fail(refused)
            if (fault === "dies before") return Effect.die(new Error("killed"))
            return Effect.andThen(
              memory.commit(batch),
              fault === "lost" ? Effect.fail(lost) : Effect.die(new Error("killed"))
            )
          }),
        readAll: (range) =>
          Effect.suspend(() => {
            reads.push(range)
            const limit = Math.min(range.limit, faulty.pageLimit)
            const to = Position(Math.min(range.to, range.after + faulty.pageStretch))
            return Effect.map(memory.readAll({ ...range, limit, to }), (page) =>
              // A page that was cut short has looked no further than its last event.
              page.items.length === limit ? { ...page, through: page.items.at(-1)?.position ?? Position(0) } : page)
          })
      },
      commits,
      reads,
      failAt: (n, fault) => {
        next = { at: commits.length + n, fault }
      },
      failed: () => next === undefined,
      pageLimit: Infinity,
      pageStretch: Infinity
    }
    return faulty
  })

const refused = new Unavailable({ operation: "commit", reason: "the disk is away", remedy: "try again" })
const lost = new OutcomeUnknown({ id: undefined, reason: "the reply was lost" })
