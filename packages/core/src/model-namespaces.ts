/** Where a read model keeps what it holds. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { checkpoints } from "./checkpoint.ts"
import type { StoreError } from "./error.ts"
import { indexNamespace, type ReadIndex } from "./read-index.ts"
import type { StoreShape } from "./store.ts"

/** Of a read model's version, what tells where it is. */
export interface ModelPlace {
  readonly namespace: string
  readonly reader: string
  readonly readIndexes: ReadonlyArray<Pick<ReadIndex, "name">>
}

/**
 * The namespaces of a read model's version: of its states, of the indexes it declares, and of those that it was built
 * with before and declares no more. To drop the version is to clear them all and to remove its reader. Fails as every
 * kv read.
 */
export const modelNamespaces = (
  store: StoreShape,
  { namespace, reader, readIndexes }: ModelPlace
): Effect.Effect<ReadonlyArray<string>, StoreError> =>
  Effect.map(checkpoints(store).get(reader), (found) => {
    const built = Option.getOrUndefined(found)?.indexes ?? []
    const own = [...readIndexes, ...built].map(({ name }) => indexNamespace(namespace, name))
    return Array.from(new Set([namespace, ...own]))
  })
