/** A workload that certifies itself: each event keeps what its commit expected, so the log shows whether it held. */
import type { BackendShape, StoredEvent } from "@persist/core"
import * as Effect from "effect/Effect"
import { type Broken, broken, holds } from "./assertion.ts"
import type { Place } from "./fixture.ts"
import { append, expectKey, expectStream, getOne, put, readAllOf, readWhole, tryCommit } from "./given.ts"
import { atOnce, rivals } from "./rivals.ts"

/** What an event of the workload says of the commit that made it. */
export interface Claim {
  readonly writer: number
  readonly round: number
  /** The stream's last seq, as the commit expected it. */
  readonly seq: number
  /** The revision of the key `"turn"`, as the commit expected it; 0 for absent. Each commit writes it. */
  readonly turn: number
}

/** How many writers, how often each tries, and to how many streams. */
export interface RaceLoad {
  readonly writers: number
  readonly rounds: number
  readonly streams: number
}

/**
 * Lets writers race in a place, each commit expecting what its writer read, and keeping that in its event.
 * Gives how many commits happened and how many conflicted. Needs a store that is atomic and reads all.
 */
export const race = Effect.fnUntraced(function*(place: Place, { rounds, streams, writers }: RaceLoad) {
  const handles = yield* rivals(yield* place.open, place, writers)
  const told = yield* atOnce(
    handles,
    Effect.fnUntraced(function*(handle, writer) {
      let committed = 0
      for (let round = 0; round < rounds; round++) {
        const stream = `stream ${(writer + round) % streams}`
        const seq = Number((yield* readWhole(handle, stream)).at(-1)?.seq ?? 0)
        const turn = Number((yield* getOne(handle, "turn"))?.revision ?? 0)
        yield* Effect.yieldNow
        const claim: Claim = { writer, round, seq, turn }
        const outcome = yield* tryCommit(handle, {
          expect: [expectStream(stream, seq), expectKey("turn", turn === 0 ? "absent" : turn)],
          append: [append(stream, JSON.stringify(claim))],
          write: [put("turn", JSON.stringify(claim))]
        })
        if (outcome._tag === "Committed") committed++
      }
      return committed
    })
  )
  const committed = told.reduce((sum, each) => sum + each, 0)
  return { committed, conflicted: writers * rounds - committed }
})

/**
 * Reads the whole log and checks every claim in it against the events before. Gives how many there were; fails with
 * the first that doesn't hold. Works on any store that the workload was let at: later, elsewhere, after a crash.
 */
export const certify = Effect.fnUntraced(function*(backend: BackendShape) {
  const lastSeqs = new Map<string, number>()
  const events = yield* readAllOf(backend)
  let before: StoredEvent | undefined
  for (const event of events) {
    yield* check(event, lastSeqs.get(event.stream) ?? 0, before)
    lastSeqs.set(event.stream, event.seq)
    before = event
  }
  const turn = yield* getOne(backend, "turn")
  yield* holds(turn?.value === before?.data, "the key isn't what the last commit wrote")
  return events.length
})

// The key was last written by the commit before, above its event and below the next.
const check = Effect.fnUntraced(
  function*(event: StoredEvent, seq: number, before: StoredEvent | undefined): Effect.fn.Return<void, Broken> {
    const claim: unknown = JSON.parse(String(event.data))
    if (!isClaim(claim)) return yield* broken(`event at ${event.position} is none of this workload's`)
    const where = `commit ${claim.writer}.${claim.round} at position ${event.position}`
    yield* holds(event.seq === seq + 1, `${where} has seq ${event.seq} after ${seq}`)
    yield* holds(claim.seq === seq, `${where} expected seq ${claim.seq}, and it was ${seq}`)
    const isTurn = before === undefined
      ? claim.turn === 0
      : claim.turn > before.position && claim.turn < event.position
    yield* holds(isTurn, `${where} expected revision ${claim.turn}, and it isn't that of the commit before`)
  }
)

const isClaim = (u: unknown): u is Claim =>
  typeof u === "object" && u !== null && "seq" in u && "turn" in u && "writer" in u && "round" in u
