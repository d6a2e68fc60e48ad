/** Where a read model keeps what it holds. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Catalogue } from "./catalogue.ts"
import { checkpoints } from "./checkpoint.ts"
import type { StoreError } from "./error.ts"
import { indexNamespace } from "./read-index.ts"
import type { ReadModel } from "./read-model.ts"
import type { StoreShape } from "./store.ts"

/**
 * The namespaces of a read model's version: of its states, of the indexes it declares, and of those that it was built
 * with before and declares no more. To drop the version is to clear them all and to remove its reader. Fails as every
 * kv read.
 */
export const modelNamespaces = <C extends Catalogue, A>(
  store: StoreShape,
  { namespace, reader, readIndexes }: ReadModel<C, A>
): Effect.Effect<ReadonlyArray<string>, StoreError> =>
  Effect.map(checkpoints(store).get(reader), (found) => {
    const built = Option.getOrUndefined(found)?.indexes ?? []
    const own = [...readIndexes, ...built].map(({ name }) => indexNamespace(namespace, name))
    return Array.from(new Set([namespace, ...own]))
  })
