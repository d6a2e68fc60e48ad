/** What every kept file of an older format holds, as commits and as a reader must find it. */
import type { Commit, StoredEvent } from "@persist/core"
import { Position, Seq } from "@persist/core"
import { commitOf, eventOf, putOf } from "./place.ts"

const bytes = Uint8Array.from([0, 1, 254, 255])
const described = { type: "Renamed", at: 2000.5, meta: "{\"by\":\"ada\"}", id: "e-1" }

/** The batches that a kept file was written with, all but the last by every format. */
export const sampleBatches: ReadonlyArray<readonly [Commit, ...ReadonlyArray<Commit>]> = [
  [
    commitOf({
      append: [
        { stream: "order-1", events: [eventOf("{\"n\":1}"), eventOf(bytes), eventOf("\"\\ud800\"", described)] },
        { stream: "nul\0 and 🦜", events: [eventOf("null")] }
      ]
    }),
    commitOf({ append: [{ stream: "emptied", events: [eventOf("1"), eventOf("2")] }] })
  ],
  [
    commitOf({
      at: 3000,
      write: [
        putOf("colours", "red", "1"),
        { ...putOf("colours", "green", bytes), meta: "{}" },
        putOf("colours", "blue", "3"),
        putOf("cleared", "a", "1"),
        putOf("cleared", "b", "2")
      ]
    })
  ],
  [
    commitOf({ at: 4000, write: [{ _tag: "Delete", namespace: "colours", key: "blue" }] }),
    commitOf({ at: 5000, write: [{ _tag: "Clear", namespace: "cleared" }] }),
    commitOf({ truncate: [{ stream: "emptied", before: Seq(9) }, { stream: "order-1", before: Seq(2) }] })
  ]
]

/** A commit under an id, which format 1 couldn't remember. */
export const sampleIdentified: Commit = commitOf({
  identity: { id: "once", digest: "d1" },
  write: [{ _tag: "Delete", namespace: "colours", key: "never there" }]
})

const event = (stream: string, seq: number, position: number, parts: Partial<StoredEvent>): StoredEvent => ({
  stream,
  seq: Seq(seq),
  position: Position(position),
  type: "Happened",
  at: 1000,
  data: "",
  meta: undefined,
  id: undefined,
  ...parts
})

const red = { _tag: "Entry", namespace: "colours", key: "red", value: "1", meta: undefined, revision: 7, at: 3000 }
const green = { _tag: "Entry", namespace: "colours", key: "green", value: bytes, meta: "{}", revision: 8, at: 3000 }
const blue = { _tag: "Tombstone", namespace: "colours", key: "blue", revision: 12, at: 4000 }

/** What the verbs answer after the batches, with the head given. */
export const sampleContents = (head: number) => ({
  head,
  events: {
    items: [
      event("order-1", 2, 2, { data: bytes }),
      event("order-1", 3, 3, { ...described, data: "\"\\ud800\"" }),
      event("nul\0 and 🦜", 1, 4, { data: "null" })
    ],
    through: head
  },
  streams: [
    { stream: "emptied", first: 3, last: 2 },
    { stream: "nul\0 and 🦜", first: 1, last: 1 },
    { stream: "order-1", first: 2, last: 3 }
  ],
  namespaces: [{ namespace: "colours", keys: 2 }],
  entries: [[green, red]],
  changed: [{ items: [red, green, blue], through: head }]
})

/** The last position of the batches. */
export const sampleHead = 16
