/** Memory stores for the conformance kit. */
import { make } from "@persist/backend-memory"
import { fromOpen } from "@persist/conformance"

/** A new store each time. */
export const memory = fromOpen("memory", make())
