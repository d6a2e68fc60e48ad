/** Every mutant, by the level of the laws it breaks. */
import type { Mutant } from "./mutant.ts"
import { atomicity } from "./mutants/atomicity.ts"

/** Mutants of the protocol's laws. */
export const protocolMutants: ReadonlyArray<Mutant> = [...atomicity]
