/** Query plans: no read passes a whole table, and none sorts what an index has in order. */
import { assert, describe, it } from "@effect/vitest"
import * as queries from "@persist/backend-sqlite/queries"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import { appendOf, driver, newPath, putOf, visit } from "./place.ts"

const directions = [false, true]

/** Every read, by the name of its text, with what its plan must be. */
const plans: ReadonlyArray<readonly [name: string, sql: string, plan: ReadonlyArray<RegExp>]> = [
  ["head", queries.head, [/SCAN store/, /SCALAR SUBQUERY/, /SEARCH event/]],
  ["standing", queries.standing, [
    /SEARCH s USING INDEX \w+ \(name=\?\)/,
    /SUBQUERY/,
    /SEARCH event USING COVERING INDEX \w+ \(stream=\?\)/
  ]],
  ...directions.map((reverse) =>
    [`a page of a stream, reverse ${reverse}`, queries.streamPage(reverse), [
      /SEARCH e USING INDEX \w+ \(stream=\? AND seq>\? AND seq<\?\)/
    ]] as const
  ),
  ...directions.flatMap((reverse) =>
    directions.flatMap((types) => {
      const filter = types ? [/LIST SUBQUERY/, /SCAN json_each/] : []
      const range = /SEARCH e USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)/
      const name = (by: string) => `a page of all by ${by}, types ${types}, reverse ${reverse}`
      return [
        [name("range"), queries.allPage({ by: "range", types, reverse }), [range, ...filter]],
        [name("prefix"), queries.allPage({ by: "prefix", types, reverse }), [
          range,
          ...filter,
          /SEARCH s USING INTEGER PRIMARY KEY \(rowid=\?\)/
        ]],
        [name("streams"), queries.allPage({ by: "streams", types, reverse }), [
          /SCAN wanted VIRTUAL TABLE/,
          /SEARCH e USING INDEX \w+ \(stream=\?\)/,
          ...filter,
          /USE TEMP B-TREE FOR ORDER BY/
        ]]
      ] as const
    })
  ),
  ["the sizes of streams", queries.streamSizes, [
    /SEARCH s USING INDEX \w+ \(name>\? AND name<\?\)/,
    /SUBQUERY/,
    /SEARCH event USING COVERING/
  ]],
  ["a page of streams", queries.streamsPage, [
    /SEARCH s USING INDEX \w+ \(name>\? AND name<\?\)/,
    /SUBQUERY/,
    /SEARCH event USING COVERING/
  ]],
  ["a page of streams that were truncated", queries.shortenedPage, [
    /SEARCH s USING INDEX stream_shortened \(name>\? AND name<\?\)/,
    /SUBQUERY/,
    /SEARCH event USING COVERING/
  ]],
  ["a key", queries.entry, [/SEARCH entry USING INDEX \w+ \(namespace=\? AND key=\?\)/]],
  ["a key's revision", queries.revision, [/SEARCH entry USING INDEX \w+ \(namespace=\? AND key=\?\)/]],
  ...directions.map((reverse) =>
    [`a page of keys, reverse ${reverse}`, queries.entryPage(reverse), [
      /SEARCH entry USING INDEX \w+ \(namespace=\? AND key>\? AND key<\?\)/
    ]] as const
  ),
  ["what changed", queries.changedPage, [
    /SEARCH c USING PRIMARY KEY \(namespace=\? AND revision>\? AND revision<\?\)/,
    /SEARCH e USING INTEGER PRIMARY KEY \(rowid=\?\)/
  ]],
  ["the change below some", queries.changeBelow, [
    /SEARCH change USING PRIMARY KEY \(namespace=\? AND revision<\?\)/
  ]],
  ["changes that are stale", queries.sweepChanges, [
    /SEARCH change USING PRIMARY KEY \(namespace=\? AND revision>\? AND revision<\?\)/,
    /CORRELATED SCALAR SUBQUERY/,
    /SEARCH entry USING INTEGER PRIMARY KEY \(rowid=\?\)/
  ]],
  ["living keys", queries.livingKeys, [/SEARCH entry USING INDEX \w+ \(namespace=\?\)/]],
  ["how many keys", queries.countKeys, [
    /SCAN CONSTANT ROW/,
    /SCALAR SUBQUERY/,
    /SEARCH entry USING COVERING INDEX sqlite_autoindex_entry_1 \(namespace=\?\)/,
    /SCALAR SUBQUERY/,
    /SEARCH entry USING COVERING INDEX entry_deleted \(namespace=\? AND value=\?\)/
  ]],
  ["namespaces", queries.namespacesPage, [
    /SEARCH n USING COVERING INDEX \w+ \(name>\?\)/,
    /SEARCH entry EXISTS USING INDEX sqlite_autoindex_entry_1 \(namespace=\?\)/,
    /CORRELATED SCALAR SUBQUERY/,
    /SEARCH entry USING COVERING INDEX sqlite_autoindex_entry_1 \(namespace=\?\)/,
    /CORRELATED SCALAR SUBQUERY/,
    /SEARCH entry USING COVERING INDEX entry_deleted \(namespace=\? AND value=\?\)/
  ]],
  ["a commit by id", queries.recorded, [/SEARCH recorded USING INDEX \w+ \(id=\?\)/]]
]

/** A store with statistics, of a kind that invites SQLite to take another way. */
const analysed = (streamOf: (n: number) => string) =>
  Effect.tap(newPath, (path) =>
    Effect.andThen(
      visit(path, (backend) =>
        backend.commit(NonEmpty.makeBy(5000, (n) => ({
          ...appendOf(streamOf(n), "1"),
          write: [putOf(`n-${n % 7}`, `k-${n}`, "1")]
        })))),
      Effect.sync(() => driver(path, (db) => db.exec("ANALYZE")))
    ))

const stores = [
  ["a new store", newPath],
  ["a store of few streams and many rare ones", analysed((n) => n % 50 === 0 ? `rare-${n}` : `user-${n % 3}`)]
] as const

describe.each(stores)("query plans in %s", (_, store) => {
  it.effect.each(plans)("%s", ([, sql, expected]) =>
    Effect.gen(function*() {
      const path = yield* store
      yield* visit(path, () => Effect.void)
      const parameters = Array.from(sql.matchAll(/\?/g), () => null)
      const plan = driver(path, (db) =>
        db.prepare<Array<null>, { readonly detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters)).map((
          { detail }
        ) =>
          detail
        ).filter((step) => step !== "CREATE BLOOM FILTER")
      const said = plan.join("\n")
      assert.strictEqual(plan.length, expected.length, said)
      plan.forEach((step, i) => assert.match(step, expected[i] ?? /^$/, said))
    }))
})

// SQLite has no way to tell how often it planned a statement; what makes it do so is known.
it.each(plans)("%s isn't planned anew for each number that is bound as its limit", (_, sql) => {
  assert.notMatch(sql, /LIMIT \?(?! \+)/)
})
