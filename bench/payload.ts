/** What the sides write: orders of some 200 bytes of JSON; and the fold by which a reader proves that it read them. */

/** One order, as an application has it: no text yet. */
export type Order = {
  readonly order: string
  readonly customer: string
  readonly total: number
  readonly lines: ReadonlyArray<{ readonly sku: string; readonly n: number }>
  /** When it was made, in microseconds of the machine's steady clock, where a latency is measured; otherwise 0. */
  readonly sent: number
}

/** What an event of one is called, on every side. */
export const placed = "OrderPlaced"

/** The order of a number: all are of one size. */
export const orderOf = (n: number): Order => ({
  order: `7f3a${(n % 90_000) + 10_000}`,
  customer: `customer-${(n * 7919 % 9_000) + 1_000}`,
  total: (n % 900) + 100,
  sent: 0,
  lines: lines[n % lines.length] ?? []
})

// Made once: making them isn't what is measured.
const lines = Array.from(
  { length: 10 },
  (_, n) => Array.from({ length: 6 }, (_line, i) => ({ sku: `sku-${n}${i}`, n: 1 + i }))
)

/** The key of an order in a read model of twenty: by the last two digits of its customer. */
export const groupOf = ({ customer }: Order): string => `group-${Number(customer.slice(-2)) % 20}`

/** What a fold over orders has seen. */
export interface Folded {
  events: number
  total: number
}

/** A fold's beginning. */
export const nothing = (): Folded => ({ events: 0, total: 0 })

/** A fold's step, in place. */
export const fold = (state: Folded, { total }: Order): Folded => {
  state.events++
  state.total += total
  return state
}

/** Throws where a side read more or fewer events than are there: what's wrong needs no measuring. */
export const checkCount = (found: number, events: number): void => {
  if (found !== events) throw new Error(`read ${found} events where there are ${events}`)
}

/** Now, in microseconds, by a clock that all processes of a machine share. */
export const microseconds = (): number => Number(process.hrtime.bigint() / 1000n)
