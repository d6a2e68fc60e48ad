/** Mutants of what is made of the log, from readers to read models; the other half runs beside. */
import { storeReadingMutants } from "@persist/conformance"
import { breaksExactly } from "./broken.ts"

breaksExactly(storeReadingMutants)
