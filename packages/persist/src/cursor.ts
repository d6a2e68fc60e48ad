/** One loop over what is read: an element at a time from the page at hand, and the next page when that is used up. */
import type { StoreError } from "@persist/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { signalFault } from "./run.ts"
import type { Surroundings } from "./surroundings.ts"

type Item<A> = IteratorResult<A, undefined>
type Page<A> = readonly [A, ...ReadonlyArray<A>]

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }
const finished = (): Promise<IteratorReturnResult<undefined>> => Promise.resolve(done)

/**
 * Iterates over a stream. Nothing is read before the first `next`; the end, an error, `return`, the signal and, where
 * it has surroundings, the store's closing release what it holds. `next` rejects with the store's errors, or the
 * signal's reason.
 */
export class Cursor<A> implements AsyncIterator<A, undefined> {
  private readonly signal: AbortSignal | undefined
  private readonly surroundings: Surroundings | undefined
  private readonly scope = Scope.makeUnsafe()
  private pull: Pull.Pull<Page<A>, StoreError>
  private page: ReadonlyArray<A> = []
  private at = 0
  private fiber: Fiber.Fiber<unknown, unknown> | undefined
  private pending: Promise<Item<A>> | undefined
  private begun = false
  /** What every `next` answers once nothing more comes. */
  private end: (() => Promise<Item<A>>) | undefined
  private released: Promise<void> | undefined

  /** `surroundings` are those of a stream that waits for more. */
  constructor(
    source: Stream.Stream<A, StoreError>,
    signal: AbortSignal | undefined,
    surroundings: Surroundings | undefined
  ) {
    this.signal = signal
    this.surroundings = surroundings
    this.pull = Effect.flatMap(Scope.provide(Stream.toPull(source), this.scope), (pull) => {
      this.pull = pull
      return pull
    })
  }

  next(): Promise<Item<A>> {
    const { pending } = this
    if (pending === undefined) return this.ready() ? this.step() : this.track(this.step())
    // Whoever asks again before the answer came gets the one after it.
    return this.track(pending.then(() => this.step(), () => this.step()))
  }

  return(): Promise<Item<A>> {
    this.finish(finished)
    return this.settled(finished)
  }

  private ready(): boolean {
    return this.end === undefined && this.at < this.page.length
  }

  private step(): Promise<Item<A>> {
    // Below the page's length there is an A, which may itself be undefined.
    if (this.ready()) return Promise.resolve({ done: false, value: this.page[this.at++] as A })
    if (!this.begun) this.begin()
    else if (this.surroundings?.scope.state._tag === "Closed") this.finish(finished)
    return this.end === undefined ? this.turn() : this.settled(this.end)
  }

  private track(answer: Promise<Item<A>>): Promise<Item<A>> {
    const over = () => {
      if (this.pending === answer) this.pending = undefined
    }
    this.pending = answer
    answer.then(over, over)
    return answer
  }

  private begin(): void {
    this.begun = true
    const { signal } = this
    if (signal === undefined) return
    const fault = signalFault(signal)
    if (fault !== undefined) this.end = () => Promise.reject(fault)
    else if (signal.aborted) this.end = () => Promise.reject(signal.reason)
    else signal.addEventListener("abort", this.abort, { once: true })
  }

  private readonly abort = (): void => this.finish(() => Promise.reject(this.signal?.reason))

  private turn(): Promise<Item<A>> {
    return new Promise((resolve) => {
      const leave = this.surroundings?.stay()
      const fiber = Effect.runFork(this.pull)
      this.fiber = fiber
      if (this.surroundings !== undefined) Fiber.runIn(fiber, this.surroundings.scope)
      fiber.addObserver((exit) => {
        leave?.()
        this.fiber = undefined
        if (exit._tag === "Success") {
          this.page = exit.value
          this.at = 1
          return resolve({ done: false, value: exit.value[0] })
        }
        this.finish(endOf(exit.cause))
        resolve(this.settled(this.end ?? finished))
      })
    })
  }

  /** Ends the loop; where it has ended before, as before. */
  private finish(end: () => Promise<Item<A>>): void {
    if (this.end !== undefined) return
    this.end = end
    this.signal?.removeEventListener("abort", this.abort)
    const stop = this.fiber === undefined ? Effect.void : Fiber.interrupt(this.fiber)
    this.released = Effect.runPromise(Effect.andThen(stop, Scope.close(this.scope, Exit.void)))
  }

  /** The answer, once everything is released. */
  private settled(end: () => Promise<Item<A>>): Promise<Item<A>> {
    return this.released === undefined ? end() : this.released.then(end)
  }
}

const endOf = (cause: Cause.Cause<StoreError | Cause.Done>): () => Promise<IteratorReturnResult<undefined>> => {
  // Who waits and is interrupted is so by the store's closing: nothing more comes.
  if (Pull.isDoneCause(cause) || Cause.hasInterruptsOnly(cause)) return finished
  const error = Cause.squash(cause)
  return () => Promise.reject(error)
}
