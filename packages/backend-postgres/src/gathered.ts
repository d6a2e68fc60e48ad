/** Gets that find every connection busy: they share statements, and nobody waits for longer than they may. */
import type { BackendShape } from "@persist/core"
import type { Session } from "./link.ts"

/** The keys of one call. */
export type Keys = Parameters<BackendShape["get"]>[0]

/** What a statement found, and where the keys of one call begin among all that it was asked for. */
export interface Share<Found> {
  readonly found: Found
  readonly first: number
}

/** Asks for some keys by one statement; `shared` where they are those of several calls. */
type Find<Found> = (session: Session, keys: Keys, shared: boolean) => Promise<Found>

/** Does something in a session; again, in another one, where the first is lost. */
type Ask = (operation: string, job: (session: Session) => Promise<void>) => Promise<void>

/** Calls that have come within a moment, and wait for a connection together. */
interface Group<Found> extends PromiseWithResolvers<Share<Found>> {
  readonly keys: Array<Keys[number]>
  readonly since: number
  calls: number
  /** Whether another group's statement asks for its keys as well. */
  taken: boolean
}

// Values that are large aren't among what they share, so that nobody waits for another's megabytes.
const mostGathered = 64

// In milliseconds: all of a group wait for as long as whoever came first.
const gatheredWithin = 100

/**
 * Finds what a call asks for: by a statement of its own where a connection is free, else together with others that
 * wait. Whichever group gets a connection takes along those behind it, so that a slow server is asked for 64 keys at a
 * time, however many groups wait. The keys of a call stay together, as of one moment.
 */
export const gathering = <Found>(ask: Ask, find: Find<Found>): (keys: Keys) => Promise<Share<Found>> => {
  /** Those whose statement isn't sent, in the order in which they came. */
  const waiting: Array<Group<Found>> = []
  const leave = (group: Group<Found>): void => {
    const place = waiting.indexOf(group)
    if (place >= 0) waiting.splice(place, 1)
  }
  const takeAlong = (own: Group<Found>): ReadonlyArray<Group<Found>> => {
    leave(own)
    let [count, fit] = [own.keys.length, 0]
    for (const { keys: { length } } of waiting) {
      if (count + length > mostGathered) break
      count += length
      fit++
    }
    const others = waiting.splice(0, fit)
    for (const group of others) group.taken = true
    return [own, ...others]
  }
  const begin = (keys: Keys): Group<Found> => {
    const own = {
      keys: [...keys],
      since: performance.now(),
      calls: 1,
      taken: false,
      ...Promise.withResolvers<Share<Found>>()
    }
    waiting.push(own)
    let party: ReadonlyArray<Group<Found>> | undefined
    ask("get", async (session) => {
      if (own.taken) return
      party ??= takeAlong(own)
      const found = await find(session, party.flatMap((group) => group.keys), party.length > 1 || own.calls > 1)
      let first = 0
      for (const group of party) {
        group.resolve({ found, first })
        first += group.keys.length
      }
    }).catch((cause: unknown) => {
      // Whoever was taken along hears from the statement that they share.
      if (own.taken) return
      leave(own)
      for (const group of party ?? [own]) group.reject(cause)
    })
    return own
  }
  return (keys) => {
    const last = waiting.at(-1)
    const joins = last !== undefined && last.keys.length + keys.length <= mostGathered &&
      performance.now() - last.since <= gatheredWithin
    if (!joins) return begin(keys).promise
    const before = last.keys.length
    last.calls++
    last.keys.push(...keys)
    return last.promise.then(({ found, first }) => ({ found, first: first + before }))
  }
}
