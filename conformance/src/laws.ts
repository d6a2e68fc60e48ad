/** Every law, by the level at which it is asked. */
import type { Law } from "./law.ts"
import { atomicity } from "./laws/atomicity.ts"

/** Laws of the protocol: what core, and whoever else calls a backend, relies on. */
export const protocolLaws: ReadonlyArray<Law> = [...atomicity]

/** Every law of the kit. */
export const laws: ReadonlyArray<Law> = [...protocolLaws]
