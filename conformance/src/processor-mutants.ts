/** Every mutant of processors. */
import { processorEffects } from "./mutants/processor-effects.ts"
import { processorFailures } from "./mutants/processor-failures.ts"
import { processorSharing } from "./mutants/processor-sharing.ts"
import { processorVersions } from "./mutants/processor-versions.ts"
import type { ProcessorMutant } from "./processor-mutant.ts"

/** Mutants of the laws of processors. */
export const processorMutants: ReadonlyArray<ProcessorMutant> = [
  ...processorSharing,
  ...processorFailures,
  ...processorEffects,
  ...processorVersions
]
