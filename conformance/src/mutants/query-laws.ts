/** The laws of queries by their names: what cuts deep enough breaks every one of them. */
import { storeQueries } from "../laws/store-queries.ts"

/** The laws of queries. */
export const queryLaws: ReadonlyArray<string> = storeQueries.map(({ name }) => name)

/** The laws of queries but for those that hold all the same. */
export const queryLawsBut = (...held: ReadonlyArray<string>): ReadonlyArray<string> =>
  queryLaws.filter((name) => !held.includes(name))
