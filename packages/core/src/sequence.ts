/** The counters of a store: a seq within one stream, a position in the store's total order. */
import type * as Brand from "effect/Brand"

/** Place of an event within its stream: 1 for the first; 0 stands for a stream where nothing was ever appended. */
export type Seq = number & Brand.Brand<"persist/Seq">

/**
 * Place in the store's total order. Positions increase and may have holes; holes never fill.
 * A key's revision is the position of its last write.
 */
export type Position = number & Brand.Brand<"persist/Position">

/** A plain number or a {@link Seq}, but never a {@link Position}: what a caller may pass where a seq is expected. */
export type SeqInput = Seq | (number & { readonly "~effect/Brand"?: never })

/** A plain number or a {@link Position}, never a {@link Seq}: what a caller may pass where a position is expected. */
export type PositionInput = Position | (number & { readonly "~effect/Brand"?: never })

/** Brands a number that is known to be a seq. */
// The two casts below are the only places where a plain number becomes a counter.
export const Seq = (n: number): Seq => n as Seq

/** Brands a number that is known to be a position. */
export const Position = (n: number): Position => n as Position

/** The seq of an empty stream: before its first event. */
export const noSeq: Seq = Seq(0)

/** The position before everything. */
export const origin: Position = Position(0)

/** Larger than every seq and position a store can give. */
export const unbounded = Number.MAX_SAFE_INTEGER
