/** Every law of processors. */
import { processorEffects } from "./laws/processor-effects.ts"
import { processorFailures } from "./laws/processor-failures.ts"
import { processorSharing } from "./laws/processor-sharing.ts"
import { processorVersions } from "./laws/processor-versions.ts"
import type { ProcessorLaw } from "./processor-law.ts"

/** Laws of processors: what those who run them, several at once, rely on over any store. */
export const processorLaws: ReadonlyArray<ProcessorLaw> = [
  ...processorSharing,
  ...processorFailures,
  ...processorEffects,
  ...processorVersions
]
