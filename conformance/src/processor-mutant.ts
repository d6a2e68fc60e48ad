/** Mutants of processors: with one function broken, or over a broken backend, and the laws that must notice. */
import type { BackendShape } from "@persist/core"
import { type Processing, processing } from "./processing.ts"

/** A bug somebody could write. It must break exactly the laws it names. */
export interface ProcessorMutant {
  readonly name: string
  /** What is wrong with it, in one sentence. */
  readonly bug: string
  /** Names of the laws of processors that it breaks; all others hold. */
  readonly breaks: ReadonlyArray<string>
  /** Processors with the bug in them. */
  readonly processing: Processing
}

/** Makes a mutant of functions of the runner. */
export const processorMutant = (
  name: string,
  bug: string,
  wrong: Partial<Processing>,
  breaks: ReadonlyArray<string>
): ProcessorMutant => ({ name, bug, breaks, processing: { ...processing, ...wrong } })

/** Makes a mutant that runs over a broken backend. */
export const runningOver = (
  name: string,
  bug: string,
  wrong: (backend: BackendShape) => Partial<BackendShape>,
  breaks: ReadonlyArray<string>
): ProcessorMutant =>
  processorMutant(name, bug, {
    makeStore: (backend, options) => processing.makeStore({ ...backend, ...wrong(backend) }, options)
  }, breaks)
