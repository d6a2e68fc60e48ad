/** Every mutant, by the level of the laws it breaks. */
import type { Mutant } from "./mutant.ts"
import { aliasing } from "./mutants/aliasing.ts"
import { allReads } from "./mutants/all-reads.ts"
import { atomicity } from "./mutants/atomicity.ts"
import { changed } from "./mutants/changed.ts"
import { changes } from "./mutants/changes.ts"
import { durability } from "./mutants/durability.ts"
import { fidelity } from "./mutants/fidelity.ts"
import { groups } from "./mutants/groups.ts"
import { identities } from "./mutants/identity.ts"
import { keyOptimism } from "./mutants/key-optimism.ts"
import { keyRemoval } from "./mutants/key-removal.ts"
import { keys } from "./mutants/keys.ts"
import { lists } from "./mutants/lists.ts"
import { names } from "./mutants/names.ts"
import { optimism } from "./mutants/optimism.ts"
import { order } from "./mutants/order.ts"
import { races } from "./mutants/races.ts"
import { remembering } from "./mutants/remembering.ts"
import { scans } from "./mutants/scans.ts"
import { stores } from "./mutants/stores.ts"
import { streamReads } from "./mutants/stream-reads.ts"
import { truncation } from "./mutants/truncation.ts"

/** Mutants of the protocol's laws. */
export const protocolMutants: ReadonlyArray<Mutant> = [
  ...stores,
  ...atomicity,
  ...groups,
  ...optimism,
  ...keyOptimism,
  ...races,
  ...identities,
  ...remembering,
  ...streamReads,
  ...allReads,
  ...order,
  ...keys,
  ...keyRemoval,
  ...scans,
  ...changed,
  ...lists,
  ...truncation,
  ...names,
  ...fidelity,
  ...aliasing,
  ...durability,
  ...changes
]
