/** Effects that can be had without a fiber: a caller that has no fiber is called back, and saves what one costs. */
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

/** An effect that needs no fiber of its own. In one, it does the same. */
export abstract class Posted<A, E> extends Effectable.Class<A, E> {
  /**
   * Does what it does in a fiber that was given nothing (no tracer, no clock of its own), and can't be interrupted:
   * `settle` is called once, at once or later. Throws nothing but what `settle` throws when it's called at once.
   */
  abstract post(settle: (exit: Exit.Exit<A, E>) => void): void
}

/** An effect that `asEffect` does, in a fiber or without one, as far as it can be done at once. */
abstract class Prompt<A, E> extends Effectable.Class<A, E> {}

/** Does what can be done of an effect at once: answers its exit, or what is left. */
export const advance = <A, E>(effect: Effect.Effect<A, E>): Exit.Exit<A, E> | Effect.Effect<A, E> => {
  if (!(effect instanceof Prompt)) return effect
  try {
    return effect.asEffect()
  } catch (defect) {
    return Exit.die(defect)
  }
}

/** Whether an effect is its own exit. */
export const isEnded = <A, E>(effect: Effect.Effect<A, E>): effect is Exit.Exit<A, E> => Exit.isExit(effect)

/** Has an effect: without a fiber where it needs none, else in one that `fork` makes. */
export const post = <A, E>(
  effect: Effect.Effect<A, E>,
  settle: (exit: Exit.Exit<A, E>) => void,
  fork: (effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E> = Effect.runFork
): void => {
  const left = advance(effect)
  if (isEnded(left)) settle(left)
  else if (left instanceof Posted) left.post(settle)
  else fork(left).addObserver(settle)
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

class AtOnce<A, E> extends Prompt<A, E> {
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
      return Exit.fail(this.explain(cause))
    }
  }
}

/** An effect that is made when it's run. */
export const suspended = <A, E>(make: () => Effect.Effect<A, E>): Effect.Effect<A, E> => new Suspended(make)

class Suspended<A, E> extends Prompt<A, E> {
  private readonly make: () => Effect.Effect<A, E>

  constructor(make: () => Effect.Effect<A, E>) {
    super()
    this.make = make
  }

  override asEffect(): Effect.Effect<A, E> {
    return advance(this.make())
  }
}

/** An effect that is made when it's run, and goes on at once from what it answers. */
export const suspendedThen = <A, E, B, F>(
  make: () => Effect.Effect<A, E>,
  next: (value: A) => Exit.Exit<B, F>
): Effect.Effect<B, E | F> => new Then(make, next)

class Then<A, E, B, F> extends Prompt<B, E | F> {
  private readonly make: () => Effect.Effect<A, E>
  private readonly next: (value: A) => Exit.Exit<B, F>

  constructor(make: () => Effect.Effect<A, E>, next: (value: A) => Exit.Exit<B, F>) {
    super()
    this.make = make
    this.next = next
  }

  override asEffect(): Effect.Effect<B, E | F> {
    const made = advance(this.make())
    if (!isEnded(made)) return later(made, this.next)
    return made._tag === "Success" ? this.next(made.value) : Exit.failCause(made.cause)
  }
}

const later = <A, E, B, F>(
  effect: Effect.Effect<A, E>,
  next: (value: A) => Exit.Exit<B, F>
): Effect.Effect<B, E | F> => effect instanceof Posted ? new PostedThen(effect, next) : Effect.flatMap(effect, next)

class PostedThen<A, E, B, F> extends Posted<B, E | F> {
  private readonly posted: Posted<A, E>
  private readonly next: (value: A) => Exit.Exit<B, F>

  constructor(posted: Posted<A, E>, next: (value: A) => Exit.Exit<B, F>) {
    super()
    this.posted = posted
    this.next = next
  }

  override asEffect(): Effect.Effect<B, E | F> {
    return Effect.flatMap(this.posted, this.next)
  }

  override post(settle: (exit: Exit.Exit<B, E | F>) => void): void {
    this.posted.post((exit) => settle(exit._tag === "Success" ? this.goOn(exit.value) : Exit.failCause(exit.cause)))
  }

  private goOn(value: A): Exit.Exit<B, F> {
    try {
      return this.next(value)
    } catch (defect) {
      return Exit.die(defect)
    }
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
