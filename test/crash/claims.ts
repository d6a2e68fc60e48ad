/** What the writers' events say of themselves, and what is derived from them: a read model and a projection. */
import type { EventOf } from "@persist/core"
import { Catalogue, Projection, ReadModel } from "@persist/core"
import * as Schema from "effect/Schema"

/** An event that says which commit made it and what that commit expected, so that the log shows whether it held. */
export const Claim = Schema.Struct({
  /** The commit's id. */
  by: Schema.String,
  /** Which of the commit's events in this stream it is, from 0, and how many there are. */
  of: Schema.Int,
  many: Schema.Int,
  /** The stream's last seq as the commit expected it; `null` where it expected nothing. */
  after: Schema.NullOr(Schema.Int),
  amount: Schema.Int,
  pad: Schema.String
})

/** The same as a value. */
export interface Claim extends Schema.Schema.Type<typeof Claim> {}

/** The events of the load. */
export const Claims = Catalogue.make({ Claimed: Claim })

/** One of them. */
export type ClaimEvent = EventOf<typeof Claims>

/** Streams that a read model follows; nothing is removed from them. */
export const modelStreams = ["m/0", "m/1", "m/2", "m/3"] as const

/** Streams that are truncated and deleted. */
export const cutStreams = ["t/0", "t/1"] as const

/** Streams that are compacted below snapshots. */
export const longStreams = ["c/0", "c/1"] as const

const Sum = Schema.Struct({ amount: Schema.Int, events: Schema.Int })

/** A sum. */
export interface Sum extends Schema.Schema.Type<typeof Sum> {}

/** What one more event makes of a sum. */
export const add = ({ amount, events }: Sum, { data }: Pick<ClaimEvent, "data">): Sum => ({
  amount: amount + data.amount,
  events: events + 1
})

/** The sum of each of the streams it follows, and of all: an event that took effect twice or never shows. */
export const sums = ReadModel.make({
  name: "sums",
  version: 1,
  events: Claims,
  prefix: "m/",
  value: Sum,
  seed: { amount: 0, events: 0 },
  keys: ({ stream }) => [stream, "all"],
  step: add
})

/** The sum of one stream, as a state that snapshots keep. */
export const balance = Projection.make({
  name: "balance",
  version: 1,
  events: Claims,
  seed: { amount: 0, events: 0 },
  state: Sum,
  step: add
})
