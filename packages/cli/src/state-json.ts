/** A projection's state as JSON, the way its snapshots keep it. */
import type { Json } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { exitCode } from "./exit-code.ts"
import { Failure } from "./failure.ts"
import type { AnyProjection } from "./user-module.ts"

/** Writes a state as JSON; `Failure` where it has no such form. */
export const stateJson = (projection: AnyProjection, state: unknown): Effect.Effect<Json, Failure> =>
  Effect.suspend(() => {
    const written = projection.state.codec.encode("state", state)
    if (Result.isSuccess(written)) {
      const payload = written.success
      return Effect.succeed(
        typeof payload === "string" ? JSON.parse(payload) : { base64: Buffer.from(payload).toString("base64") }
      )
    }
    const { field, reason, remedy } = written.failure
    return Effect.fail(
      new Failure({
        exitCode: exitCode.failed,
        field,
        reason,
        remedy: `${remedy}, or give the projection a state schema`,
        cause: written.failure
      })
    )
  })
