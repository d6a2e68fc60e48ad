/** Which events a projection is folded over, and as of when: checked here, once, for every way of reading them. */
import * as Result from "effect/Result"
import type { Engine, ReadOptions } from "./engine.ts"
import { Invalid } from "./error.ts"
import * as Fault from "./fault.ts"
import { compareUtf8, nameFault } from "./name.ts"
import { Position, type PositionInput, Seq, type SeqInput, unbounded } from "./sequence.ts"

/** One stream by itself: only then does a state have a seq, to append with as `expected`. */
export interface OneStream {
  readonly stream: string
}

/** One stream, several, those whose name starts with a prefix, or all of them: exactly one of the four. */
export type Scope =
  | OneStream
  | { readonly streams: ReadonlyArray<string> }
  | { readonly prefix: string }
  | { readonly all: true }

/**
 * A point in the past, inclusive: a seq (of one stream), a position, or a time in milliseconds since 1970. As of a time
 * means every event whose own `at` isn't later, in the total order; imported events may have times out of order.
 */
export type AsOf =
  | { readonly seq: SeqInput }
  | { readonly position: PositionInput }
  | { readonly at: number }

/** What every fold over a store may be given. */
export interface ReplayOptions extends ReadOptions {
  readonly asOf?: AsOf | undefined
  /**
   * Folds what is left of streams whose first events were truncated or deleted. Without it such a fold is refused where
   * no snapshot stands in for them, since it would be of another history than the one that happened.
   */
  readonly allowTruncated?: boolean | undefined
}

/** A scope in one form: named streams (sorted, each once), or all whose name starts with `prefix`. */
export type Selection =
  | { readonly _tag: "Streams"; readonly streams: ReadonlyArray<string> }
  | { readonly _tag: "Prefix"; readonly prefix: string }

/** Where to stop, each bound inclusive. */
export interface Cut {
  readonly seq: Seq
  readonly position: Position
  /** Leaves out what happened later, in milliseconds since 1970; `Infinity` where nothing is. */
  readonly at: number
}

/** No end but the log's. */
export const uncut: Cut = { seq: Seq(unbounded), position: Position(unbounded), at: Infinity }

/** Checked options of a fold. */
export interface Plan {
  readonly selection: Selection
  readonly cut: Cut
  /** The option that says as of when, as errors name it. */
  readonly asOf: string
  readonly reading: ReadOptions
  readonly allowTruncated: boolean
}

/** The options that make a scope. */
export const scopeKeys = ["stream", "streams", "prefix", "all"] as const

/**
 * Checks and completes what a fold was asked for; `more` are the options its caller knows besides, and `asOf` is what
 * it calls the one that says as of when.
 */
export const planOf = (
  engine: Engine,
  options: Scope & ReplayOptions,
  more: ReadonlyArray<string> = [],
  asOf = "asOf"
): Result.Result<Plan, Fault.Fault> => {
  const fault = Fault.optionsFault(options, [...scopeKeys, "asOf", "atLeast", "allowTruncated", ...more]) ??
    Fault.flagFault("allowTruncated", options?.allowTruncated)
  if (fault !== undefined) return Result.fail(fault)
  const selected = selectionOf(engine, options)
  if (Result.isFailure(selected)) return Result.fail(selected.failure)
  const selection = selected.success
  return Result.map(cutOf(selection, options.asOf, asOf), (cut) => ({
    selection,
    cut,
    asOf,
    reading: { atLeast: farther(options.atLeast, cut.position) },
    allowTruncated: options.allowTruncated ?? false
  }))
}

// What is asked as of a position can only be answered by a store that has come as far.
const farther = (atLeast: PositionInput | undefined, position: Position): PositionInput | undefined =>
  position === unbounded ? atLeast : Position(Math.max(atLeast ?? 0, position))

/** The one form of a scope; `Invalid` for none, several at once, and bad names. */
export const selectionOf = (engine: Engine, scope: Scope): Result.Result<Selection, Fault.Fault> => {
  const { all, prefix, stream, streams }: Partial<Record<typeof scopeKeys[number], unknown>> = scope ?? {}
  const given = [all, prefix, stream, streams].filter((one) => one !== undefined).length
  if (given !== 1) return Result.fail(given === 0 ? noScope : manyScopes)
  if (stream !== undefined) return streamsOf(engine, "stream", [stream])
  if (streams !== undefined) return streamsOf(engine, "streams", streams)
  if (all !== undefined) {
    return all === true ? Result.succeed({ _tag: "Prefix", prefix: "" }) : Result.fail(notAll)
  }
  return typeof prefix === "string" && prefix.isWellFormed()
    ? Result.succeed({ _tag: "Prefix", prefix })
    : Result.fail(Fault.textFault("prefix", prefix) ?? noScope)
}

const scopes = "pass one of { stream }, { streams }, { prefix } and { all: true }"

const noScope = new Invalid({ field: "scope", reason: "says nothing of which events", remedy: scopes })

const manyScopes = new Invalid({ field: "scope", reason: "is given in several ways at once", remedy: scopes })

const notAll = new Invalid({ field: "all", reason: "is not true", remedy: scopes })

const streamsOf = (
  { about }: Engine,
  field: string,
  streams: unknown
): Result.Result<Selection, Fault.Fault> => {
  if (!Array.isArray(streams) || streams.length === 0) {
    return Result.fail(
      new Invalid({ field, reason: "is no list of streams", remedy: "name at least one, or pass { all: true }" })
    )
  }
  const names = new Set<string>()
  for (const [i, stream] of streams.entries()) {
    const fault = nameFault(field === "stream" ? field : `${field}[${i}]`, stream, about.limits.nameBytes)
    if (fault !== undefined) return Result.fail(fault)
    names.add(stream)
  }
  return Result.succeed({ _tag: "Streams", streams: Array.from(names).sort(compareUtf8) })
}

const cutOf = (selection: Selection, asOf: AsOf | undefined, field: string): Result.Result<Cut, Fault.Fault> => {
  if (asOf === undefined) return Result.succeed(uncut)
  const keys = asOf !== null && typeof asOf === "object" ? Object.keys(asOf) : []
  const fault = Fault.optionsFault(asOf, ["seq", "position", "at"]) ?? (keys.length === 1 ? undefined : noMoment(field))
  if (fault !== undefined) return Result.fail(fault)
  const bounded = (wrong: Fault.Fault | undefined, cut: () => Cut): Result.Result<Cut, Fault.Fault> =>
    wrong === undefined ? Result.succeed(cut()) : Result.fail(wrong)
  if ("position" in asOf) {
    return bounded(Fault.counterFault(`${field}.position`, asOf.position), () => ({
      ...uncut,
      position: Position(asOf.position)
    }))
  }
  if ("at" in asOf) return bounded(Fault.timeFault(`${field}.at`, asOf.at), () => ({ ...uncut, at: asOf.at }))
  const several = selection._tag === "Prefix" || selection.streams.length > 1 ? ofOneStream(field) : undefined
  return bounded(several ?? Fault.counterFault(`${field}.seq`, asOf.seq), () => ({ ...uncut, seq: Seq(asOf.seq) }))
}

const noMoment = (field: string): Invalid =>
  new Invalid({ field, reason: "is not one moment", remedy: "pass one of { seq }, { position } and { at }" })

const ofOneStream = (field: string): Invalid =>
  new Invalid({
    field: `${field}.seq`,
    reason: "a seq counts within one stream only",
    remedy: "pass { position } or { at }, or a single stream"
  })

/** Whether a stream belongs to a selection. */
export const covers = (selection: Selection, stream: string): boolean =>
  selection._tag === "Prefix" ? stream.startsWith(selection.prefix) : selection.streams.includes(stream)

/** The prefix that all streams of a selection share, which other streams may share too. */
export const commonPrefix = (selection: Selection): string => {
  if (selection._tag === "Prefix") return selection.prefix
  const [first = "", ...rest] = selection.streams
  const points = Array.from(first)
  while (points.length > 0 && !rest.every((stream) => stream.startsWith(points.join("")))) points.pop()
  return points.join("")
}

/** The scope as its user would write it. */
export const scopeOf = (selection: Selection): Scope => {
  if (selection._tag === "Prefix") return selection.prefix === "" ? { all: true } : { prefix: selection.prefix }
  const [only, ...rest] = selection.streams
  return only !== undefined && rest.length === 0 ? { stream: only } : { streams: selection.streams }
}
