/** What an import would do: collected before anything is done, so that a faulty tree changes nothing. */
import { Invalid, nameFault, payloadBytes, type Position, type StoreError, type StoreShape } from "@persist/core"
import type { KeyPlace } from "./tree-path.ts"

/** A file whose value is to be put, where the key is as it was when the plan was made. */
export interface PlannedPut {
  readonly path: string
  readonly expected: Position | "absent"
}

/** A key whose file is gone. */
export interface PlannedDelete {
  readonly namespace: string
  readonly key: string
  readonly expected: Position
}

/** The events of a stream that the store hasn't got, in the files that hold them. */
export interface PlannedStream {
  readonly stream: string
  /** The seq that the store has come to. */
  readonly last: number
  /** Up to which seq the events were removed that the store hasn't got; 0 for none. */
  readonly removed: number
  readonly files: ReadonlyArray<string>
  /** The first new event's place in the order of all streams; infinite where it was added by hand. */
  readonly position: number
  readonly events: number
}

/** Something of the tree that can't be imported as things are in the store. */
export interface TreeConflict {
  /** The file. */
  readonly path: string
  readonly reason: string
}

/** What is known when an import is planned. */
export interface Circumstances {
  readonly store: StoreShape
  /** The tree's directory, by its real path. */
  readonly root: string
  /** Up to which position tree and store agree on what was; `undefined` where that isn't known. */
  readonly common: number | undefined
  /** The namespaces of read models, which aren't for others to write. */
  readonly models: ReadonlySet<string>
  /** Whether the tree's values count where the store's have changed since. */
  readonly overwrite: boolean
}

/** What an import would do. */
export interface Plan {
  readonly puts: Array<PlannedPut>
  readonly deletes: Array<PlannedDelete>
  readonly streams: Array<PlannedStream>
  readonly conflicts: Array<TreeConflict>
  /** How many values and events the store has already. */
  unchanged: number
}

/** An empty plan. */
export const emptyPlan = (): Plan => ({ puts: [], deletes: [], streams: [], conflicts: [], unchanged: 0 })

/** Why a store won't take what a file holds, found before anything is committed. */
export const limitFault = (
  { about }: StoreShape,
  where: string,
  names: Readonly<Record<string, string | undefined>>,
  payloads: Readonly<Record<string, KeyPlace["value"] | undefined>>
): StoreError | undefined => {
  for (const [what, name] of Object.entries(names)) {
    const fault = name === undefined ? undefined : nameFault(`${where}: ${what}`, name, about.limits.nameBytes)
    if (fault !== undefined) return fault
  }
  for (const [what, payload] of Object.entries(payloads)) {
    const bytes = payload === undefined ? 0 : payloadBytes(payload)
    if (bytes <= about.limits.payloadBytes) continue
    return new Invalid({
      field: where,
      reason: `its ${what} has ${bytes} bytes, over the store's limit of ${about.limits.payloadBytes}`,
      remedy: "keep large values in a blob store, and their address here"
    })
  }
  return undefined
}
