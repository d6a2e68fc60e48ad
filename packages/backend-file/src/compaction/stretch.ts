/** Which neighbouring segments to write anew as one: those of which little is needed, and those that are small. */
import type { SealedSegment } from "../log/segment.ts"

/** A segment that was looked at. */
export interface Looked {
  readonly segment: SealedSegment
  /** About what share of its bytes is needed, from 0 to 1. */
  readonly livingShare: number
}

// A segment is written anew once half of it isn't needed: each byte that stays is written twice by that, in the mean.
const deadEnough = 0.5

// Segments of less than this share of the usual size are small, and so many of them become one.
const smallShare = 0.25
const smallOnes = 4

// More at once would take too long to be repeated after an interruption.
const mostSegments = 64

const livingBytes = ({ livingShare, segment }: Looked): number => livingShare * segment.bytes

const isDead = ({ livingShare }: Looked): boolean => livingShare <= deadEnough

/** Whether a segment should be written anew, if only together with neighbours. */
export const isWorthwhile = (looked: Looked, segmentBytes: number): boolean =>
  isDead(looked) || looked.segment.bytes < smallShare * segmentBytes

/** Whether one more segment may be written together with these. */
export const fits = (stretch: ReadonlyArray<Looked>, more: Looked, segmentBytes: number): boolean =>
  stretch.length < mostSegments &&
  stretch.reduce((sum, each) => sum + livingBytes(each), livingBytes(more)) <= segmentBytes

/** Whether these neighbours, each worthwhile, are to be written anew now. */
export const isDue = (stretch: ReadonlyArray<Looked>): boolean => stretch.some(isDead) || stretch.length >= smallOnes
