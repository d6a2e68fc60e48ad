/** What commands that run processors say of themselves to others. */
import * as Flag from "effect/cli/Flag"
import { hostname } from "node:os"

/** What this process is known by, unless somebody names it. */
export const processLabel = `${hostname()}:${process.pid}`

/** When others take over from this process. */
export const patienceFlag = Flag.Int("patience").pipe(
  Flag.withDescription("Milliseconds without a sign of life after which others take over from this process"),
  Flag.withDefault(10_000)
)
