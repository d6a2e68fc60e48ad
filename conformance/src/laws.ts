/** Every law, by the level at which it is asked. */
import type { Law } from "./law.ts"
import { allReads } from "./laws/all-reads.ts"
import { atomicity } from "./laws/atomicity.ts"
import { changed } from "./laws/changed.ts"
import { changes } from "./laws/changes.ts"
import { durability } from "./laws/durability.ts"
import { fidelity } from "./laws/fidelity.ts"
import { groups } from "./laws/groups.ts"
import { identity } from "./laws/identity.ts"
import { keys } from "./laws/keys.ts"
import { lists } from "./laws/lists.ts"
import { names } from "./laws/names.ts"
import { optimism } from "./laws/optimism.ts"
import { order } from "./laws/order.ts"
import { races } from "./laws/races.ts"
import { scans } from "./laws/scans.ts"
import { stores } from "./laws/stores.ts"
import { streamReads } from "./laws/stream-reads.ts"
import { truncation } from "./laws/truncation.ts"
import { processorLaws } from "./processor-laws.ts"
import { storeLaws } from "./store-laws.ts"

/** Laws of the protocol: what core, and whoever else calls a backend, relies on. */
export const protocolLaws: ReadonlyArray<Law> = [
  ...stores,
  ...atomicity,
  ...groups,
  ...optimism,
  ...races,
  ...identity,
  ...streamReads,
  ...allReads,
  ...order,
  ...keys,
  ...scans,
  ...changed,
  ...lists,
  ...truncation,
  ...names,
  ...fidelity,
  ...durability,
  ...changes
]

/** Every law of the kit. */
export const laws: ReadonlyArray<Law> = [...protocolLaws, ...storeLaws, ...processorLaws]
