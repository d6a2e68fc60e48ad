/** A store that goes wrong when a test says so: lost races, lost replies, and a store that can't be reached. */
import { make } from "@persist/backend-memory"
import { type Fault, withFaults } from "@persist/conformance/faults"
import { type BackendShape, Invalid, makeStore, type Op } from "@persist/core"
import { counterFault } from "@persist/core/fault"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/**
 * How a commit goes wrong: `"unavailable"` before anything happens, which fails with `Unavailable`; `"lost"` after it
 * happened, when the reply is lost, which fails with `OutcomeUnknown`.
 */
export type Mishap = "unavailable" | "lost"

/** How often commits go wrong by chance, from 0 to 1 each, the same for the same seed. */
export interface Chances {
  readonly seed: number | string
  readonly unavailable?: number | undefined
  readonly lost?: number | undefined
}

/**
 * The faults of one store. Nothing goes wrong until a test says so. A commit here is what reaches the backend: commits
 * that wait together share one, and one that the store sends again by itself (twice, unless it is opened with
 * `retries: 0`) is another.
 */
export interface Faults<E = never, R = never> {
  /** The store under test: for `open(faults.backend)`, or as the `Backend` of a Layer. */
  readonly backend: Effect.Effect<BackendShape, E, R>
  /** Lets the next commits go wrong, so many, after those said before; `every` and `randomly` wait until then. */
  readonly next: (mishap: Mishap, times?: number) => void
  /** Lets every nth commit from now on go wrong, instead of what `every` and `randomly` said before. */
  readonly every: (n: number, mishap: Mishap) => void
  /** Lets commits go wrong by chance, instead of what `every` and `randomly` said before. */
  readonly randomly: (chances: Chances) => void
  /**
   * Lets somebody else be faster: commits these operations just before the next commits, so many. Who expected what
   * they change meets a conflict that is real, with events that are missing. Operations that can't be committed end
   * the commit as a defect.
   */
  readonly overtake: (ops: Op | ReadonlyArray<Op>, times?: number) => void
  /** Until `up` every read and every commit fails with `Unavailable`, and nothing happens. */
  readonly down: () => void
  readonly up: () => void
  /** Forgets everything that was still to go wrong. */
  readonly clear: () => void
  /** What has gone wrong so far, in order: so that a test sees that it did. */
  readonly happened: ReadonlyArray<Mishap | "overtaken">
}

/**
 * Makes a store with faults: in memory, the same one each time it is opened, so that a test can open it twice, as two
 * processes would; or what a backend's package makes. All functions throw `Invalid` for what is no count or no chance.
 */
export const makeFaults = <E = never, R = never>(
  source: Effect.Effect<BackendShape, E, R> = Effect.succeed(Effect.runSync(make()))
): Faults<E, R> => {
  const plan = new Plan()
  return {
    backend: Effect.map(source, (backend) => withFaults(overtaken(backend, plan), (verb) => plan.fault(verb))),
    next: (mishap, times = 1) => plan.soon.push(...repeated("times", times, mishap)),
    every: (n, mishap) => {
      count("n", n)
      let commits = 0
      plan.standing = () => ++commits % n === 0 ? mishap : undefined
    },
    randomly: (chances) => {
      plan.standing = dice(chances)
    },
    overtake: (ops, times = 1) => plan.rivals.push(...repeated("times", times, "~persist/Op" in ops ? [ops] : ops)),
    down: () => {
      plan.isDown = true
    },
    up: () => {
      plan.isDown = false
    },
    clear: () => plan.clear(),
    happened: plan.happened
  }
}

/** What is still to go wrong, and what has. */
class Plan {
  soon: Array<Mishap> = []
  rivals: Array<ReadonlyArray<Op>> = []
  standing: () => Mishap | undefined = never
  isDown = false
  readonly happened: Array<Mishap | "overtaken"> = []

  fault(verb: "commit" | "read"): Fault {
    const mishap = this.isDown ? "unavailable" : verb === "commit" ? this.soon.shift() ?? this.standing() : undefined
    if (mishap === undefined) return "none"
    this.happened.push(mishap)
    return mishap === "lost" ? "after" : "before"
  }

  clear(): void {
    this.soon = []
    this.rivals = []
    this.standing = never
    this.isDown = false
  }
}

const never = (): undefined => undefined

const overtaken = (backend: BackendShape, plan: Plan): BackendShape => ({
  ...backend,
  commit: (batch) =>
    Effect.suspend(() => {
      const ops = plan.rivals.shift()
      if (ops === undefined) return backend.commit(batch)
      plan.happened.push("overtaken")
      return Effect.andThen(commitFirst(backend, ops), backend.commit(batch))
    })
})

/** Commits what the test says somebody else did; that it can't be done is the test's mistake, so it dies. */
const commitFirst = (backend: BackendShape, ops: ReadonlyArray<Op>): Effect.Effect<void> =>
  makeStore(backend).pipe(
    Effect.flatMap((rival) => rival.commit(ops)),
    Effect.flatMap((outcome) =>
      outcome._tag === "Committed"
        ? Effect.void
        : Effect.die(new Error("the operations that should come first met a conflict: let them expect \"any\""))
    ),
    Effect.orDie,
    Effect.scoped
  )

const count = (field: string, value: number): number => {
  const fault = counterFault(field, value, 1)
  if (fault !== undefined) throw fault
  return value
}

const repeated = <A>(field: string, times: number, value: A): ReadonlyArray<A> =>
  Array.from({ length: count(field, times) }, () => value)

/** Throws for every commit: the same seed throws the same. */
const dice = ({ lost = 0, seed, unavailable = 0 }: Chances): () => Mishap | undefined => {
  for (const [field, chance] of Object.entries({ unavailable, lost, "unavailable + lost": unavailable + lost })) {
    if (chance >= 0 && chance <= 1) continue
    throw new Invalid({ field, reason: `${chance} is no chance`, remedy: "pass a number from 0 to 1" })
  }
  const random = Effect.runSync(Random.withSeed(Effect.service(Random.Random), seed))
  return () => {
    const thrown = random.nextDoubleUnsafe()
    return thrown < unavailable ? "unavailable" : thrown < unavailable + lost ? "lost" : undefined
  }
}
