/** Every law of stores. */
import { storeCatalogue } from "./laws/store-catalogue.ts"
import { storeChanges } from "./laws/store-changes.ts"
import { storeCommits } from "./laws/store-commits.ts"
import { storeFencing } from "./laws/store-fencing.ts"
import { storeKv } from "./laws/store-kv.ts"
import { storeLog } from "./laws/store-log.ts"
import { storePages } from "./laws/store-pages.ts"
import { storeReaders } from "./laws/store-readers.ts"
import { storeRunners } from "./laws/store-runners.ts"
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
  ...storeReaders,
  ...storeSubscriptions,
  ...storeRunners,
  ...storeFencing
]
