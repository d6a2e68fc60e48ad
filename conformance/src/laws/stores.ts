/** Laws of stores as such: what they say of themselves, and what two handles or two stores have in common. */
import { origin } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, every, holds } from "../assertion.ts"
import { abilities, tryAbility } from "../declaration.ts"
import type { Fixture } from "../fixture.ts"
import { append, appendEach, commitOne, dataOf, getOne, putEach, readAllOf, readWhole } from "../given.ts"
import { type Law, lawOf, placeLawOf } from "../law.ts"

const law = lawOf("stores")
const placeLaw = placeLawOf("stores")

const twoStores = (fixture: Fixture) => Effect.replicateEffect(Effect.flatMap(fixture.place, ({ open }) => open), 2)

/** Laws of declarations, isolation and sharing. */
export const stores: ReadonlyArray<Law> = [
  law("a store says what it is: a name, limits that are whole numbers above 0, an incarnation", [], function*(backend) {
    const { incarnation, limits, name } = backend.about
    yield* every("name and incarnation", [name, incarnation], (text) => text.length > 0)
    const { commitBytes, commitEvents, nameBytes, payloadBytes } = limits
    const all = [commitBytes, commitEvents, nameBytes, payloadBytes]
    yield* every("limits", all, (limit) => Number.isSafeInteger(limit) && limit > 0)
    yield* holds(commitBytes >= payloadBytes, "the largest payload doesn't fit into the largest commit")
  }),

  law("a store refuses what it declares it lacks, and nothing else", [], function*(backend) {
    for (const ability of abilities) {
      const { answer, refused } = yield* tryAbility(ability, backend)
      const lacks = backend.about.lacks.has(ability)
      yield* holds(
        refused === lacks,
        `${ability}: declared as ${lacks ? "lacking" : "there"}, and it answered ${answer}`
      )
    }
    yield* appendEach(backend, "after", ["1"])
    yield* equal("what it does at all", yield* dataOf(backend, "after"), ["1"])
  }),

  law("a new store has neither events nor keys", [], function*(backend) {
    const { lacks } = backend.about
    yield* equal("events", yield* readWhole(backend, "s"), [])
    yield* equal("entry", yield* getOne(backend, "k"), undefined)
    yield* equal("head", yield* backend.head, origin)
    const range = { prefix: "", after: undefined, limit: 10 }
    yield* equal("streams", lacks.has("streams") ? [] : yield* backend.streams(range), [])
    yield* equal("namespaces", lacks.has("namespaces") ? [] : yield* backend.namespaces(range), [])
    yield* appendEach(backend, "s", ["1"])
    yield* equal("events of a store that is no longer new", yield* dataOf(backend, "s"), ["1"])
  }),

  {
    name: "two stores share neither events nor keys",
    family: "stores",
    needs: [],
    check: Effect.fnUntraced(function*(fixture) {
      const [one, two] = yield* twoStores(fixture)
      if (one === undefined || two === undefined) return
      yield* appendEach(one, "s", ["1"])
      yield* putEach(one, { k: "1" })
      const shared = [yield* dataOf(two, "s"), yield* getOne(two, "k"), yield* two.head]
      yield* equal("what the other store has", shared, [[], undefined, origin])
      yield* appendEach(two, "s", ["2"])
      yield* equal("data of each", [yield* dataOf(one, "s"), yield* dataOf(two, "s")], [["1"], ["2"]])
    })
  },

  {
    name: "two stores have two incarnations",
    family: "stores",
    needs: [],
    check: Effect.fnUntraced(function*(fixture) {
      const incarnations = (yield* twoStores(fixture)).map(({ about }) => about.incarnation)
      yield* every("incarnations", incarnations, (incarnation, n) => incarnations.indexOf(incarnation) === n)
    })
  },

  law("every handle of a store says the same of it", ["shared"], function*(backend, place) {
    const other = yield* place.open
    yield* every("names", [backend.about.name, backend.about.incarnation], (name) => name.length > 0)
    yield* equal("incarnation", other.about.incarnation, backend.about.incarnation)
    yield* equal("what it is", { ...other.about, lacks: [...other.about.lacks] }, {
      ...backend.about,
      lacks: [...backend.about.lacks]
    })
  }),

  law("an event that one handle was told is committed is read by every other", ["shared"], function*(backend, place) {
    const other = yield* place.open
    for (const data of ["1", "2", "3"]) {
      yield* appendEach(backend, "s", [data])
      yield* equal("last event", (yield* dataOf(other, "s")).at(-1), data)
    }
    yield* appendEach(other, "s", ["4"])
    yield* equal("data", yield* dataOf(backend, "s"), ["1", "2", "3", "4"])
  }),

  law("a value that one handle was told is committed is read by every other", ["shared"], function*(backend, place) {
    const other = yield* place.open
    for (const value of ["1", "2", "3"]) {
      yield* putEach(backend, { k: value })
      yield* equal("value", (yield* getOne(other, "k"))?.value, value)
    }
    yield* putEach(other, { k: "4" })
    yield* equal("value", (yield* getOne(backend, "k"))?.value, "4")
  }),

  placeLaw("closing one handle leaves the others as they were", ["shared"], function*(place) {
    const stays = yield* place.open
    yield* Effect.scoped(Effect.flatMap(place.open, (goes) => appendEach(goes, "s", ["1"])))
    yield* appendEach(stays, "s", ["2"])
    yield* equal("data", yield* dataOf(stays, "s"), ["1", "2"])
  }),

  placeLaw("a handle opened later reads what was committed before", ["shared", "readAll"], function*(place) {
    const early = yield* place.open
    yield* commitOne(early, { append: [append("s", "1")] })
    const late = yield* place.open
    yield* equal("data", (yield* readAllOf(late)).map(({ data }) => data), ["1"])
  })
]
