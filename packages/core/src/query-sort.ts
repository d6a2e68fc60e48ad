/** Sorting what a query finds where no index does: the first states of an order, kept while all are looked at. */
import * as Result from "effect/Result"
import type { StoreError } from "./error.ts"
import { encodeScalar } from "./index-key.ts"
import type { Entry } from "./kv.ts"
import { compareUtf8 } from "./name.ts"
import { pageSize } from "./pages.ts"
import { pathOf, quoted } from "./path.ts"
import type { Place } from "./query-cursor.ts"
import type { Sorting } from "./query-filter.ts"
import { noOrder } from "./read-index.ts"
import { fieldIn } from "./scalar.ts"

/** A state that may come to stand on the page, and where. */
interface Candidate<A> {
  readonly place: Place
  readonly entry: Entry<A>
}

/** The first states of an order, each key once. */
export class Best<A> {
  private candidates = new Map<string, Candidate<A>>()
  private readonly sorting: ReadonlyArray<Sorting>
  private readonly most: number

  constructor(sorting: ReadonlyArray<Sorting>, most: number) {
    this.sorting = sorting
    this.most = most
  }

  /** Takes those behind a place; `Invalid` where one has no place itself. */
  take(entries: ReadonlyArray<Entry<A>>, after: Place | undefined): Result.Result<void, StoreError> {
    for (const entry of entries) {
      const place = placeOf(this.sorting, entry)
      if (Result.isFailure(place)) return Result.fail(place.failure)
      if (after !== undefined && comparePlaces(this.sorting, place.success, after) <= 0) continue
      this.candidates.set(entry.key, { place: place.success, entry })
    }
    if (this.candidates.size > this.most + pageSize) {
      this.candidates = new Map(this.select().map((one) => [one.entry.key, one]))
    }
    return Result.succeed(undefined)
  }

  /** The first of them, in their order. */
  select(): ReadonlyArray<Candidate<A>> {
    return Array.from(this.candidates.values())
      .sort((a, b) => comparePlaces(this.sorting, a.place, b.place))
      .slice(0, this.most)
  }
}

const placeOf = <A>(sorting: ReadonlyArray<Sorting>, { key, value }: Entry<A>): Result.Result<Place, StoreError> => {
  const place: Array<string> = []
  for (const { field } of sorting) {
    const encoded = encodeScalar(fieldIn(value, field))
    if (encoded === undefined) return Result.fail(noOrder(pathOf(`state of key ${quoted(key)}`, [field]), "the query"))
    place.push(encoded)
  }
  place.push(key)
  return Result.succeed(place)
}

// The state's key is the last part, and goes the way of the last field.
const comparePlaces = (sorting: ReadonlyArray<Sorting>, a: Place, b: Place): number => {
  for (const [i, part] of a.entries()) {
    const order = compareUtf8(part, b[i] ?? "")
    if (order !== 0) return (sorting[i] ?? sorting.at(-1))?.descending === true ? -order : order
  }
  return 0
}
