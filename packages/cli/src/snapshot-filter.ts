/** The flags that say which snapshots. */
import type { SnapshotFilter } from "@persist/core"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Failure, misuse } from "./failure.ts"

/** Of which projection, and of which of its versions. */
export const snapshotFlags = {
  projection: Flag.String("projection").pipe(Flag.withDescription("Only those of this projection"), Flag.optional),
  version: Flag.Int("of-version").pipe(Flag.withDescription("Only those of this version of it"), Flag.optional)
}

/** What the flags say. */
export const snapshotFilter = ({ projection, version }: {
  readonly projection: Option.Option<string>
  readonly version: Option.Option<number>
}): Effect.Effect<SnapshotFilter, Failure> =>
  Option.isNone(projection) && Option.isSome(version)
    ? Effect.fail(misuse("--of-version", "is given without a projection", "name it with --projection"))
    : Effect.succeed({
      projection: Option.getOrUndefined(projection),
      version: Option.getOrUndefined(version)
    })
