/** What of core the laws of stores go through, so that a mutant can replace one function and leave the rest right. */
import * as Persist from "@persist/core"

/** The functions of core that the laws of stores call. */
export interface Core {
  readonly makeStore: typeof Persist.makeStore
  readonly makeCatalogue: typeof Persist.Catalogue.make
  readonly subscribe: typeof Persist.subscribe
  readonly subscribePages: typeof Persist.subscribePages
  readonly runSubscription: typeof Persist.runSubscription
  readonly runSubscriptionPages: typeof Persist.runSubscriptionPages
  readonly registerReader: typeof Persist.registerReader
  readonly resetReader: typeof Persist.resetReader
  readonly removeReader: typeof Persist.removeReader
  readonly listReaders: typeof Persist.listReaders
  readonly slowestReader: typeof Persist.slowestReader
  readonly readCheckpoint: typeof Persist.readCheckpoint
  readonly moveCheckpoint: typeof Persist.moveCheckpoint
  readonly checkpointOp: typeof Persist.checkpointOp
  readonly fold: typeof Persist.fold
  readonly project: typeof Persist.project
  readonly load: typeof Persist.load
  readonly diff: typeof Persist.diff
  readonly saveSnapshot: typeof Persist.saveSnapshot
  readonly listSnapshots: typeof Persist.listSnapshots
  readonly deleteSnapshots: typeof Persist.deleteSnapshots
  readonly compact: typeof Persist.compact
  readonly registerProjection: typeof Persist.registerProjection
  readonly planRetention: typeof Persist.planRetention
  readonly retain: typeof Persist.retain
  readonly decide: typeof Persist.decide
  readonly runReadModel: typeof Persist.runReadModel
  readonly catchUp: typeof Persist.catchUp
  readonly rebuild: typeof Persist.rebuild
  readonly waitFor: typeof Persist.waitFor
  readonly query: typeof Persist.query
  readonly strong: typeof Persist.strong
}

/** Core as it is. */
export const core: Core = { ...Persist, makeCatalogue: Persist.Catalogue.make }
