/** Mutants that read the total order wrongly, filter it wrongly, or say wrongly how far they looked. */
import type { AllRange, BackendShape, Page, StoredEvent } from "@persist/core"
import { origin, Position, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import { allEvents, search } from "../altered.ts"
import { type Mutant, mutant } from "../mutant.ts"

const asks = (
  name: string,
  bug: string,
  otherwise: (range: AllRange) => Partial<AllRange>,
  breaks: ReadonlyArray<string>
): Mutant =>
  mutant(name, bug, (backend) => ({ readAll: (range) => backend.readAll({ ...range, ...otherwise(range) }) }), breaks)

const answers = (
  name: string,
  bug: string,
  alter: (page: Page<StoredEvent>, range: AllRange) => Page<StoredEvent>,
  breaks: ReadonlyArray<string>
): Mutant =>
  mutant(name, bug, (backend) => ({
    readAll: (range) => Effect.map(backend.readAll(range), (page) => alter(page, range))
  }), breaks)

// A mutant whose filter lets other events through than it should.
const filters = (
  name: string,
  bug: string,
  matches: (event: StoredEvent, range: AllRange) => boolean,
  breaks: ReadonlyArray<string>
): Mutant =>
  mutant(name, bug, (backend) => ({
    readAll: (range) => search(backend, range, (event) => matches(event, range))
  }), breaks)

const hasType = ({ type }: StoredEvent, { types }: AllRange) => types === undefined || types.includes(type)
const hasPrefix = ({ stream }: StoredEvent, { prefix }: AllRange) => stream.startsWith(prefix)

// What SQL's LIKE makes of a prefix.
const like = (prefix: string) =>
  new RegExp(`^${prefix.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("%", "[^]*").replaceAll("_", "[^]")}`, "u")

// The first name above all that start with a prefix, as it is often got: by counting up the last UTF-16 unit.
const nextUnit = (prefix: string) =>
  prefix.slice(0, -1) + String.fromCharCode((prefix.charCodeAt(prefix.length - 1) || 0) + 1)

const limitsFirst = (backend: BackendShape, { prefix, types, ...range }: AllRange) =>
  Effect.map(
    backend.readAll({ ...range, prefix: "", types: undefined }),
    ({ items }): Page<StoredEvent> => ({
      items: items.filter((event) => event.stream.startsWith(prefix) && (types?.includes(event.type) ?? true)),
      through: range.to
    })
  )

/** Broken in ranges, filters and pages of the total order. */
export const allReads = [
  answers("stream by stream", "gives the events of a page stream by stream", ({ items, through }) => ({
    items: items.toSorted((a, b) => a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : a.seq - b.seq),
    through
  }), [
    "a commit's events are contiguous in the total order",
    "a commit's streams take their places in the order it names them",
    "reading all gives the events of every stream in the order they were committed",
    "a range of the total order starts above `after` and includes `to`",
    "a prefix selects the streams whose names start with it",
    "the total order in reverse starts with its last event",
    "a limit in reverse gives the last events that a filter lets through",
    "pages of the total order join to the whole by `through`, whatever their size",
    "once a reader was given a position, nothing at or below it appears later",
    "each stream's events appear in the total order by their seqs",
    "events that were read are the same when they are read again",
    "who reads after each element of changes misses nothing of what many write"
  ]),

  mutant(
    "half an event",
    "leaves the time out of events in the total order",
    (backend) => allEvents(backend, (event) => ({ ...event, at: 0 })),
    [
      "an event in the total order is the event that its stream has"
    ]
  ),

  asks("`after` is included", "begins with the position that it should begin after", ({ after }) => ({
    after: Position(Math.max(0, after - 1))
  }), [
    "a range of the total order starts above `after` and includes `to`",
    "reading above the head gives nothing",
    "the total order in reverse starts with its last event",
    "pages of the total order join to the whole by `through`, whatever their size",
    "once a reader was given a position, nothing at or below it appears later",
    "truncated events are gone from the total order",
    "who reads after each element of changes misses nothing of what many write"
  ]),

  asks("`to` is excluded", "leaves out the last position of the range", ({ to }) => ({
    to: Position(to === unbounded ? to : to - 1)
  }), [
    "a range of the total order starts above `after` and includes `to`",
    "the total order in reverse starts with its last event",
    "at the end of the range `through` is the head, or `to` where that is less",
    "nothing appears later at or below a head that was read"
  ]),

  mutant("starts over", "reads from the start where it is asked to go on after the head", (backend) => ({
    readAll: (range) =>
      Effect.flatMap(backend.head, (head) => backend.readAll(range.after >= head ? { ...range, after: origin } : range))
  }), [
    "reading above the head gives nothing"
  ]),

  filters(
    "prefix anywhere",
    "finds a prefix anywhere in a name",
    (event, range) => event.stream.includes(range.prefix) && hasType(event, range),
    [
      "a prefix selects the streams whose names start with it"
    ]
  ),

  filters(
    "prefix as pattern",
    "takes a prefix for a pattern of LIKE",
    (event, range) => like(range.prefix).test(event.stream) && hasType(event, range),
    [
      "a prefix is no pattern: its signs stand for themselves"
    ]
  ),

  filters(
    "prefix without case",
    "compares a prefix without regard to case",
    (event, range) => event.stream.toLowerCase().startsWith(range.prefix.toLowerCase()) && hasType(event, range),
    [
      "a prefix tells upper case from lower, and composed from decomposed"
    ]
  ),

  filters(
    "prefix to the next unit",
    "takes the prefix with its last UTF-16 unit counted up for the end of its names",
    (event, range) =>
      hasType(event, range) && (range.prefix === ""
        || (event.stream >= range.prefix && event.stream < nextUnit(range.prefix))),
    [
      "a prefix may end in the last characters of Unicode"
    ]
  ),

  asks("one type", "selects by the first type only", ({ types }) => ({ types: types?.slice(0, 1) }), [
    "types select the events of any of them",
    "prefix and types together select the events that meet both"
  ]),

  asks("no type is any type", "takes an empty list of types for none given", ({ types }) => ({
    types: types?.length === 0 ? undefined : types
  }), [
    "a type that no event has selects nothing, and so does an empty list of types"
  ]),

  filters(
    "types in part",
    "finds a type in every type that contains it",
    (event, range) =>
      hasPrefix(event, range) && (range.types?.some((type) => event.type.toLowerCase().includes(type)) ?? true),
    [
      "types select the events of any of them",
      "a type that no event has selects nothing, and so does an empty list of types",
      "prefix and types together select the events that meet both",
      "pages of the total order join to the whole by `through`, whatever their size",
      "types that look alike are told apart by a filter"
    ]
  ),

  filters(
    "prefix or types",
    "selects events that meet the prefix or the types",
    (event, range) =>
      range.types === undefined || range.prefix === ""
        ? hasPrefix(event, range) && hasType(event, range)
        : hasPrefix(event, range) || hasType(event, range),
    [
      "prefix and types together select the events that meet both"
    ]
  ),

  mutant("limits, then filters", "filters a page after it was limited", (backend) => ({
    readAll: (range) => range.reverse ? backend.readAll(range) : limitsFirst(backend, range)
  }), [
    "a limit counts the events that a filter lets through",
    "pages of the total order join to the whole by `through`, whatever their size",
    "at the end of the range `through` is the head, or `to` where that is less",
    "truncated events are gone from the total order"
  ]),

  asks("a page too full", "gives one event more than the limit", ({ limit }) => ({ limit: limit + 1 }), [
    "a page of the total order has no more events than its limit",
    "a limit in reverse gives the last events that a filter lets through"
  ]),

  asks("never backwards", "takes no notice of the direction", () => ({ reverse: false }), [
    "the total order in reverse starts with its last event",
    "a limit in reverse gives the last events that a filter lets through"
  ]),

  mutant("limits, then turns around", "takes the first events of the range and then turns them around", (backend) => ({
    readAll: (range) =>
      Effect.map(backend.readAll({ ...range, reverse: false }), ({ items, through }) => ({
        items: range.reverse ? items.toReversed() : items,
        through
      }))
  }), [
    "a limit in reverse gives the last events that a filter lets through"
  ]),

  answers(
    "looks one further",
    "says of a full page that it looked one position further",
    ({ items, through }, { limit }) => ({
      items,
      through: Position(items.length === limit ? through + 1 : through)
    }),
    [
      "pages of the total order join to the whole by `through`, whatever their size",
      "truncated events are gone from the total order"
    ]
  ),

  answers(
    "looks no further than it finds",
    "says of a page without a match that it looked at nothing",
    (page, { after }) => ({
      items: page.items,
      through: page.items.length === 0 ? after : page.through
    }),
    [
      "a prefix selects the streams whose names start with it",
      "a type that no event has selects nothing, and so does an empty list of types",
      "pages of the total order join to the whole by `through`, whatever their size",
      "`through` passes a stretch in which nothing matches",
      "at the end of the range `through` is the head, or `to` where that is less",
      "truncated events are gone from the total order"
    ]
  ),

  answers(
    "looks into the future",
    "says that it looked to the end of the range, though that is above the head",
    (page, range) => ({
      items: page.items,
      through: page.items.length < range.limit ? range.to : page.through
    }),
    [
      "at the end of the range `through` is the head, or `to` where that is less"
    ]
  )
]
