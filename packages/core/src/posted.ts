/** Effects that can be had without a fiber: whoever has none is called back, and saves what a fiber costs. */
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

/** An effect that needs no fiber of its own. In one, it does the same. */
export abstract class Posted<A, E> extends Effectable.Class<A, E> {
  /**
   * Does what it does in a fiber that was given nothing (no tracer, no clock of its own), and can't be interrupted:
   * `settle` is called once, at once or later. Never throws.
   */
  abstract post(settle: (exit: Exit.Exit<A, E>) => void): void
}

/** Has an effect: without a fiber where it needs none, else in one that `fork` makes. */
export const post = <A, E>(
  effect: Effect.Effect<A, E>,
  settle: (exit: Exit.Exit<A, E>) => void,
  fork: (effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E> = Effect.runFork
): void => {
  if (effect instanceof Posted) effect.post(settle)
  else fork(effect).addObserver(settle)
}

/**
 * What a function answers, as an effect. What it throws is the failure that `explain` makes of it; what `explain`
 * throws is a defect, and so is everything where there is none.
 */
export const atOnce = <A, E = never>(
  evaluate: () => A,
  explain: (cause: unknown) => E = rethrow
): Effect.Effect<A, E> => new AtOnce(evaluate, explain)

const rethrow = (cause: unknown): never => {
  throw cause
}

class AtOnce<A, E> extends Posted<A, E> {
  private readonly evaluate: () => A
  private readonly explain: (cause: unknown) => E

  constructor(evaluate: () => A, explain: (cause: unknown) => E) {
    super()
    this.evaluate = evaluate
    this.explain = explain
  }

  override asEffect(): Exit.Exit<A, E> {
    try {
      return Exit.succeed(this.evaluate())
    } catch (cause) {
      return failure(this.explain, cause)
    }
  }

  override post(settle: (exit: Exit.Exit<A, E>) => void): void {
    settle(this.asEffect())
  }
}

const failure = <E>(explain: (cause: unknown) => E, cause: unknown): Exit.Exit<never, E> => {
  try {
    return Exit.fail(explain(cause))
  } catch (defect) {
    return Exit.die(defect)
  }
}

/** An effect that is made when it's run; it needs a fiber only where the one that is made does. */
export const suspended = <A, E>(make: () => Effect.Effect<A, E>): Effect.Effect<A, E> => new Suspended(make)

class Suspended<A, E> extends Posted<A, E> {
  private readonly make: () => Effect.Effect<A, E>

  constructor(make: () => Effect.Effect<A, E>) {
    super()
    this.make = make
  }

  override asEffect(): Effect.Effect<A, E> {
    return this.make()
  }

  override post(settle: (exit: Exit.Exit<A, E>) => void): void {
    let made: Effect.Effect<A, E>
    try {
      made = this.make()
    } catch (defect) {
      return settle(Exit.die(defect))
    }
    post(made, settle)
  }
}

/** Goes on from what an effect answers, at once; it needs a fiber only where the effect does. */
export const thenAtOnce = <A, E, B, F>(
  effect: Effect.Effect<A, E>,
  next: (value: A) => Exit.Exit<B, F>
): Effect.Effect<B, E | F> => new Then(effect, next)

class Then<A, E, B, F> extends Posted<B, E | F> {
  private readonly first: Effect.Effect<A, E>
  private readonly next: (value: A) => Exit.Exit<B, F>

  constructor(first: Effect.Effect<A, E>, next: (value: A) => Exit.Exit<B, F>) {
    super()
    this.first = first
    this.next = next
  }

  override asEffect(): Effect.Effect<B, E | F> {
    return Effect.flatMap(this.first, this.next)
  }

  override post(settle: (exit: Exit.Exit<B, E | F>) => void): void {
    post(this.first, (exit) => settle(goneOn(exit, this.next)))
  }
}

const goneOn = <A, E, B, F>(exit: Exit.Exit<A, E>, next: (value: A) => Exit.Exit<B, F>): Exit.Exit<B, E | F> => {
  if (exit._tag === "Failure") return Exit.failCause(exit.cause)
  try {
    return next(exit.value)
  } catch (defect) {
    return Exit.die(defect)
  }
}

/** An exit with what a function makes of its value; what the function throws is a defect. */
export const answered = <A, E, B>(exit: Exit.Exit<A, E>, answer: (value: A) => B): Exit.Exit<B, E> => {
  if (exit._tag === "Failure") return Exit.failCause(exit.cause)
  try {
    return Exit.succeed(answer(exit.value))
  } catch (defect) {
    return Exit.die(defect)
  }
}
