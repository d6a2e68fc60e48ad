/** Each mutant of stores breaks the laws it names and no other one there is, however far from what is wrong with it. */
import { storeLaws, storeMutants } from "@persist/conformance"
import { breaksExactly } from "../conformance/broken.ts"

breaksExactly(storeMutants, () => storeLaws)
