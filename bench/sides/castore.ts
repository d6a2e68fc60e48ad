/** Castore's in-memory adapter behind its `EventStore`. It has no expectation but the version of each event. */
import { checkCount, fold, type Folded, nothing, type Order, placed } from "../payload.ts"
import { loadPeer } from "../peers/load.ts"
import { byPromise, type OpenSide } from "./side.ts"

interface Recorded {
  readonly aggregateId: string
  readonly version: number
  readonly type: string
  readonly payload: Order
}

interface EventStore {
  readonly pushEvent: (event: Recorded) => Promise<unknown>
  readonly getAggregate: (id: string) => Promise<{ readonly aggregate: (Folded & { version: number }) | undefined }>
}

interface Core {
  readonly EventStore: new(options: object) => EventStore
  readonly EventType: new(options: { readonly type: string }) => unknown
}

/** Opens it. */
export const openCastore: OpenSide = async () => {
  const { EventStore, EventType } = await loadPeer<Core>("@castore/core")
  const { InMemoryEventStorageAdapter } = await loadPeer<{
    readonly InMemoryEventStorageAdapter: new(options: object) => object
  }>("@castore/event-storage-adapter-in-memory")
  const store = new EventStore({
    eventStoreId: "orders",
    eventTypes: [new EventType({ type: placed })],
    reducer: (state: Folded | undefined, { aggregateId, payload, version }: Recorded) => ({
      ...fold({ ...state ?? nothing() }, payload),
      aggregateId,
      version
    }),
    eventStorageAdapter: new InMemoryEventStorageAdapter({})
  })
  // Who appends has to know the next version; here the bench remembers it, as one process can.
  const versions = new Map<string, number>()
  return {
    append: byPromise(async ({ orders, stream }) => {
      for (const payload of orders) {
        const version = (versions.get(stream) ?? 0) + 1
        versions.set(stream, version)
        await store.pushEvent({ aggregateId: stream, version, type: placed, payload })
      }
    }),
    fold: byPromise(async ({ events, stream }) => {
      const { aggregate } = await store.getAggregate(stream)
      checkCount(aggregate?.events ?? 0, events)
    }),
    note: "keeps objects, not copies; batches event by event",
    close: async () => undefined
  }
}
