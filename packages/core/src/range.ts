/** What a read may ask for, checked and completed into the ranges the protocol takes. */
import * as Result from "effect/Result"
import type { About, AllRange, KeyRange, StreamRange } from "./backend.ts"
import type { ReadOptions } from "./engine.ts"
import * as Fault from "./fault.ts"
import { compareUtf8, nameFault, prefixEnd, successor } from "./name.ts"
import { Position, type PositionInput, Seq, type SeqInput, unbounded } from "./sequence.ts"

/** Which events of one stream: both bounds are inclusive. */
export interface ReadStreamOptions extends ReadOptions {
  readonly from?: SeqInput | undefined
  readonly to?: SeqInput | undefined
  /** Most events to give; all by default. */
  readonly limit?: number | undefined
  /** Last first. */
  readonly reverse?: boolean | undefined
}

/** Which events of all streams: `after` is exclusive, so that a position once given can be continued from. */
export interface ReadAllOptions<Type extends string = string> extends ReadOptions {
  readonly after?: PositionInput | undefined
  readonly to?: PositionInput | undefined
  /** Only streams whose name starts with it. */
  readonly prefix?: string | undefined
  /** Only events of these types. */
  readonly types?: ReadonlyArray<Type> | undefined
  /** Most events to give, counted after the filter; all by default. */
  readonly limit?: number | undefined
  /** Last first. */
  readonly reverse?: boolean | undefined
}

/** Which keys of a namespace, in the order of their UTF-8 bytes; several bounds must all hold. */
export interface ScanOptions extends ReadOptions {
  readonly prefix?: string | undefined
  readonly gte?: string | undefined
  readonly gt?: string | undefined
  readonly lt?: string | undefined
  readonly lte?: string | undefined
  /** Most keys to give; all by default. */
  readonly limit?: number | undefined
  /** Last first. */
  readonly reverse?: boolean | undefined
}

/** A checked range, or what's wrong with it. */
export type Checked<Range> = Result.Result<Range, Fault.Fault>

const checked = <Range>(fault: Fault.Fault | undefined, range: () => Range): Checked<Range> =>
  fault === undefined ? Result.succeed(range()) : Result.fail(fault)

/** The range of a stream's events; `limit` is `unbounded` where none was given. */
export const streamRange = (
  about: About,
  stream: string,
  options: ReadStreamOptions = {}
): Checked<StreamRange> =>
  checked(
    nameFault("stream", stream, about.limits.nameBytes) ??
      Fault.optionsFault(options, ["from", "to", "limit", "reverse", "atLeast"]) ??
      Fault.counterFault("from", options.from ?? 1) ?? Fault.counterFault("to", options.to ?? unbounded) ??
      Fault.limitFault(options.limit) ?? Fault.flagFault("reverse", options.reverse),
    () => ({
      stream,
      from: Seq(Math.max(1, options.from ?? 1)),
      to: Seq(options.to ?? unbounded),
      limit: options.limit ?? unbounded,
      reverse: options.reverse ?? false
    })
  )

/** The range of all events; `limit` is `unbounded` where none was given. */
export const allRange = (options: ReadAllOptions = {}): Checked<AllRange> =>
  checked(
    Fault.optionsFault(options, ["after", "to", "prefix", "types", "limit", "reverse", "atLeast"]) ??
      Fault.counterFault("after", options.after ?? 0) ?? Fault.counterFault("to", options.to ?? unbounded) ??
      Fault.textFault("prefix", options.prefix) ?? Fault.limitFault(options.limit) ??
      Fault.typesFault(options.types) ?? Fault.flagFault("reverse", options.reverse),
    () => ({
      after: Position(options.after ?? 0),
      to: Position(options.to ?? unbounded),
      prefix: options.prefix ?? "",
      types: options.types,
      limit: options.limit ?? unbounded,
      reverse: options.reverse ?? false
    })
  )

/** The range of a namespace's keys; `limit` is `unbounded` where none was given. */
export const keyRange = (about: About, namespace: string, options: ScanOptions = {}): Checked<KeyRange> =>
  checked(
    nameFault("namespace", namespace, about.limits.nameBytes) ??
      Fault.optionsFault(options, ["prefix", "gte", "gt", "lt", "lte", "limit", "reverse", "atLeast"]) ??
      Fault.textFault("prefix", options.prefix) ?? Fault.textFault("gte", options.gte) ??
      Fault.textFault("gt", options.gt) ?? Fault.textFault("lt", options.lt) ?? Fault.textFault("lte", options.lte) ??
      Fault.limitFault(options.limit) ?? Fault.flagFault("reverse", options.reverse),
    () => {
      const { gt, gte, lt, lte, prefix } = options
      return {
        namespace,
        gte: outermost([gte, gt === undefined ? undefined : successor(gt), prefix], 1),
        lt: outermost([lt, lte === undefined ? undefined : successor(lte), prefix ? prefixEnd(prefix) : undefined], -1),
        limit: options.limit ?? unbounded,
        reverse: options.reverse ?? false
      }
    }
  )

const outermost = (bounds: ReadonlyArray<string | undefined>, sign: 1 | -1): string | undefined =>
  bounds.reduce((found, bound) =>
    bound === undefined || bound === "" && sign === 1
      ? found
      : found === undefined || compareUtf8(bound, found) * sign > 0
      ? bound
      : found, undefined)
