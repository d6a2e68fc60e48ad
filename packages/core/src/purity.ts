/** A guard against steps that are no function of the log: it takes the clock, randomness and writable input away. */
import * as Equal from "effect/Equal"
import type { Catalogue, EventOf } from "./catalogue.ts"
import { Invalid } from "./error.ts"
import type { Projection } from "./projection.ts"

/**
 * The same projection, whose seed and step fail where they look at the clock (`Date.now`, `new Date()`,
 * `performance.now`), at randomness (`Math.random`, `crypto.randomUUID`, `crypto.getRandomValues`), or change the state
 * or the event they are given. For tests: it's slow, what it's given stays frozen, and what a module took out of the
 * globals before it can't be seen. The globals are as before after every call, also where the step throws.
 */
export const guardPurity = <S, C extends Catalogue>(projection: Projection<S, C>): Projection<S, C> => ({
  ...projection,
  seed: () => trapped("seed", projection.seed),
  step: (state: S, event: EventOf<C>) => {
    const bytes: Array<Frozen> = []
    freeze(state, bytes)
    freeze(event, bytes)
    const next = trapped("step", () => projection.step(state, event))
    if (bytes.some(({ before, view }) => before.some((byte, i) => view[i] !== byte))) throw changed
    return next
  }
})

/** Bytes can't be frozen, so they're compared afterwards. */
interface Frozen {
  readonly view: Uint8Array
  readonly before: Uint8Array
}

/** The part of a projection that runs. */
type Part = "seed" | "step"

const refusing = (part: Part, what: string, remedy: string) => (): never => {
  throw new Invalid({ field: part, reason: `its ${part} used ${what}`, remedy })
}

const changed = new Invalid({
  field: "step",
  reason: "its step changed what it was given",
  remedy: "give a new state, and leave the old one and the event as they are"
})

const useTheEvent = "take the time from event.at"
const useTheLog = "decide by chance before the event is appended, and put the outcome on it"

interface Trap {
  readonly holder: object
  readonly key: string
  readonly value: unknown
}

const traps = (part: Part): ReadonlyArray<Trap> => {
  const found: Array<Trap> = []
  const trap = (holder: object | undefined, key: string, name: string, remedy: string): void => {
    // Not every place that runs this has every one of them.
    if (holder !== undefined && key in holder) found.push({ holder, key, value: refusing(part, name, remedy) })
  }
  const { crypto, performance } = globalThis
  trap(Math, "random", "Math.random", useTheLog)
  trap(Date, "now", "Date.now", useTheEvent)
  trap(crypto, "randomUUID", "crypto.randomUUID", useTheLog)
  trap(crypto, "getRandomValues", "crypto.getRandomValues", useTheLog)
  trap(performance, "now", "performance.now", useTheEvent)
  found.push({ holder: globalThis, key: "Date", value: timelessDate(part, Date) })
  return found
}

/** A `Date` that makes dates of what it's told, and tells no time of its own. */
const timelessDate = (part: Part, date: DateConstructor): DateConstructor =>
  new Proxy(date, {
    apply: refusing(part, "Date()", useTheEvent),
    construct: (target, args, newTarget): object =>
      args.length === 0 ? refusing(part, "new Date()", useTheEvent)() : Reflect.construct(target, args, newTarget)
  })

const trapped = <A>(part: Part, call: () => A): A => {
  const set = traps(part).map(({ holder, key, value }) => {
    const before = Object.getOwnPropertyDescriptor(holder, key)
    Object.defineProperty(holder, key, { configurable: true, writable: true, value })
    return () => before === undefined ? Reflect.deleteProperty(holder, key) : Object.defineProperty(holder, key, before)
  })
  try {
    return call()
  } finally {
    for (const restore of set.reverse()) restore()
  }
}

const freeze = (value: unknown, bytes: Array<Frozen>, seen = new Set<unknown>()): void => {
  if (typeof value !== "object" || value === null || seen.has(value)) return
  seen.add(value)
  // Effect's own data can't be changed by its users, and may remember inside what it has worked out.
  if (Equal.isEqual(value)) return
  if (ArrayBuffer.isView(value)) {
    const view = new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    bytes.push({ view, before: view.slice() })
    return
  }
  if (value instanceof Map) forbid(value, ["set", "delete", "clear"])
  if (value instanceof Set) forbid(value, ["add", "delete", "clear"])
  if (value instanceof Date) forbid(value, dateSetters)
  const inside = value instanceof Map ? [...value.keys(), ...value.values()] : value instanceof Set ? [...value] : []
  for (const item of [...inside, ...Object.values(value)]) freeze(item, bytes, seen)
  Object.freeze(value)
}

const dateSetters = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith("set"))

// What these hold isn't in properties, so freezing alone would let it be changed.
const forbid = (value: object, methods: ReadonlyArray<string>): void => {
  if (Object.isFrozen(value)) return
  for (const method of methods) {
    Object.defineProperty(value, method, {
      value: () => {
        throw changed
      }
    })
  }
}
