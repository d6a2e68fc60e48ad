/** When to save a snapshot: after so many events, by what a load cost, or never. */
import { Invalid } from "./error.ts"
import { counterFault, optionsFault } from "./fault.ts"

/** What it took to get to a state from the snapshot it began with, or from nothing. */
export interface ReplayCost {
  /** Events read. */
  readonly replayed: number
  /** Sum of their data's lengths: UTF-16 units of text, bytes of bytes. */
  readonly size: number
  /** Milliseconds, by the clock. */
  readonly millis: number
}

/** Decides whether a state is worth saving, and how many snapshots are kept. */
export interface SnapshotPolicy {
  readonly due: (cost: ReplayCost) => boolean
  /** How many snapshots of one projection, version and scope are kept; older ones are removed. */
  readonly keep: number
  /** See {@link KeepOptions}. */
  readonly keepEvents: number | undefined
}

/** What is kept when a snapshot is saved. */
export interface KeepOptions {
  /** How many snapshots: 2 by default, the newest and one to fall back on. */
  readonly keep?: number | undefined
  /**
   * Compacts: truncates the stream below each snapshot except for this many last events, at least 1, as far as its
   * registered readers let it (see `compact`). By default nothing is ever truncated.
   */
  readonly keepEvents?: number | undefined
}

/** Which costs make a snapshot due, any of them. */
export interface CostLimits extends KeepOptions {
  /** Data read, in UTF-16 units of text and bytes of bytes. */
  readonly size?: number | undefined
  /** Time taken, in milliseconds. */
  readonly millis?: number | undefined
}

const keepByDefault = 2

const kept = ({ keep = keepByDefault, keepEvents }: KeepOptions): Pick<SnapshotPolicy, "keep" | "keepEvents"> => {
  const fault = counterFault("keep", keep, 1) ??
    (keepEvents === undefined ? undefined : counterFault("keepEvents", keepEvents, 1))
  if (fault !== undefined) throw fault
  return { keep, keepEvents }
}

/** A snapshot once `events` or more were read. Throws `Invalid` for anything but whole numbers from 1. */
const every = (events: number, options: KeepOptions = {}): SnapshotPolicy => {
  const fault = counterFault("events", events, 1) ?? optionsFault(options, ["keep", "keepEvents"])
  if (fault !== undefined) throw fault
  return { due: ({ replayed }) => replayed >= events, ...kept(options) }
}

/** A snapshot once a load took as much data or time. Throws `Invalid` where neither is given, or no whole number. */
const byCost = (limits: CostLimits): SnapshotPolicy => {
  const { millis, size } = limits
  const fault = optionsFault(limits, ["size", "millis", "keep", "keepEvents"]) ??
    (size === undefined ? undefined : counterFault("size", size, 1)) ??
    (millis === undefined ? undefined : counterFault("millis", millis, 1)) ??
    (size === undefined && millis === undefined ? noLimit : undefined)
  if (fault !== undefined) throw fault
  return {
    due: (cost) => cost.replayed > 0 && (cost.size >= (size ?? Infinity) || cost.millis >= (millis ?? Infinity)),
    ...kept(limits)
  }
}

const noLimit = new Invalid({ field: "size", reason: "no cost is given", remedy: "pass size, millis or both" })

/** No snapshots are saved; those that are there are used. */
const never: SnapshotPolicy = { due: () => false, keep: keepByDefault, keepEvents: undefined }

/** The policies there are: `every(events)`, `byCost({ size, millis })` and `never`. */
export const SnapshotPolicy = { every, byCost, never }
