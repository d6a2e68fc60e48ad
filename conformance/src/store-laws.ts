/** Every law of stores. */
import { storeBadInput } from "./laws/store-bad-input.ts"
import { storeCatalogue } from "./laws/store-catalogue.ts"
import { storeChanges } from "./laws/store-changes.ts"
import { storeCommits } from "./laws/store-commits.ts"
import { storeCompaction } from "./laws/store-compaction.ts"
import { storeDeciders } from "./laws/store-deciders.ts"
import { storeDiffs } from "./laws/store-diffs.ts"
import { storeFencing } from "./laws/store-fencing.ts"
import { storeFoldOptions } from "./laws/store-fold-options.ts"
import { storeKv } from "./laws/store-kv.ts"
import { storeLog } from "./laws/store-log.ts"
import { storeOptions } from "./laws/store-options.ts"
import { storePages } from "./laws/store-pages.ts"
import { storeProjections } from "./laws/store-projections.ts"
import { storeQueries } from "./laws/store-queries.ts"
import { storeReadModels } from "./laws/store-read-models.ts"
import { storeReaderOptions } from "./laws/store-reader-options.ts"
import { storeReaders } from "./laws/store-readers.ts"
import { storeRetention } from "./laws/store-retention.ts"
import { storeRunners } from "./laws/store-runners.ts"
import { storeSnapshots } from "./laws/store-snapshots.ts"
import { storeStrong } from "./laws/store-strong.ts"
import { storeSubscriptions } from "./laws/store-subscriptions.ts"
import { storeWaiting } from "./laws/store-waiting.ts"
import type { StoreLaw } from "./store-law.ts"

/** Laws of stores: what core makes of the protocol, and what its users rely on. */
export const storeLaws: ReadonlyArray<StoreLaw> = [
  ...storeCommits,
  ...storeWaiting,
  ...storeLog,
  ...storePages,
  ...storeKv,
  ...storeChanges,
  ...storeCatalogue,
  ...storeProjections,
  ...storeDiffs,
  ...storeSnapshots,
  ...storeCompaction,
  ...storeRetention,
  ...storeDeciders,
  ...storeReaders,
  ...storeSubscriptions,
  ...storeRunners,
  ...storeFencing,
  ...storeReadModels,
  ...storeQueries,
  ...storeStrong,
  ...storeBadInput,
  ...storeOptions,
  ...storeReaderOptions,
  ...storeFoldOptions
]
