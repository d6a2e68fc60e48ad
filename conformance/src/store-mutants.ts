/** Every mutant of stores. */
import { storeCatalogue } from "./mutants/store-catalogue.ts"
import { storeCommits } from "./mutants/store-commits.ts"
import { storeDeciders } from "./mutants/store-deciders.ts"
import { storeDiffs } from "./mutants/store-diffs.ts"
import { storeIdentity } from "./mutants/store-identity.ts"
import { storeInput } from "./mutants/store-input.ts"
import { storeKv } from "./mutants/store-kv.ts"
import { storeLog } from "./mutants/store-log.ts"
import { storeProjections } from "./mutants/store-projections.ts"
import { storeQueries } from "./mutants/store-queries.ts"
import { storeReadModels } from "./mutants/store-read-models.ts"
import { storeReaders, storeSubscriptions } from "./mutants/store-readers.ts"
import { storeRetention } from "./mutants/store-retention.ts"
import { storeRunners } from "./mutants/store-runners.ts"
import { storeCompaction, storeSnapshots } from "./mutants/store-snapshots.ts"
import { storeStrong } from "./mutants/store-strong.ts"
import { storeWaiting } from "./mutants/store-waiting.ts"
import type { StoreMutant } from "./store-mutant.ts"

/** Mutants of the laws of stores: of what is written and read back, then of what is made of the log. */
export const storeMutants: ReadonlyArray<StoreMutant> = [
  ...storeCommits,
  ...storeWaiting,
  ...storeIdentity,
  ...storeLog,
  ...storeKv,
  ...storeCatalogue,
  ...storeInput,
  ...storeReaders,
  ...storeSubscriptions,
  ...storeRunners,
  ...storeProjections,
  ...storeDiffs,
  ...storeSnapshots,
  ...storeCompaction,
  ...storeRetention,
  ...storeDeciders,
  ...storeReadModels,
  ...storeQueries,
  ...storeStrong
]
