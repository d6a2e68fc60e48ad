/** Why partitions of one runner were stopped, kept where it outlives the runner. */
import type { StoreError, StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import type { Attempt } from "./failure.ts"
import { lastFailures } from "./names.ts"

/** What one runner says of its partitions that can't go on. */
export class LastFailures {
  private readonly store: StoreShape
  private readonly noted = new Map<string, string>()

  constructor(store: StoreShape) {
    this.store = store
  }

  /** Notes why a partition was stopped, unless that is what was noted last. Fails as every commit. */
  note(reader: string, attempt: Attempt | undefined): Effect.Effect<void, StoreError> {
    if (attempt === undefined || this.noted.get(reader) === attempt.error) return Effect.void
    return Effect.map(lastFailures(this.store).put(reader, attempt), () => {
      this.noted.set(reader, attempt.error)
    })
  }

  /** A partition is run again. Fails as every read and commit. */
  readonly clear = Effect.fnUntraced({ self: this }, function*(reader: string): Effect.fn.Return<void, StoreError> {
    this.noted.delete(reader)
    if (yield* lastFailures(this.store).has(reader)) yield* lastFailures(this.store).delete(reader)
  })
}
