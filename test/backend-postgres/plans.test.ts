/** Query plans: no read passes a whole table, and none sorts what an index has in order. */
import { assert, describe, it } from "@effect/vitest"
import { headSql } from "@persist/backend-postgres/append-function"
import type { Statement } from "@persist/backend-postgres/asking"
import { queriesOf } from "@persist/backend-postgres/queries"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import type { Client } from "pg"
import { appendOf, putOf } from "../backend-sqlite/place.ts"
import { ask, newClient, newStore } from "./place.ts"

const queries = queriesOf("S")
const directions = [false, true]

interface Expected {
  readonly query: string
  readonly statement: Statement
  /** What a statement without a name is planned with. */
  readonly values?: ReadonlyArray<string>
  /** What must be in the plan, beside everything that may not. */
  readonly uses: ReadonlyArray<RegExp>
  /** Whether something has to be sorted: what comes from several places. */
  readonly sorts?: boolean
}

const index = (name: string) => new RegExp(`Index (Only )?Scan.* using ${name} on`)
const headOf = [index("head_pkey"), index("event_pkey")]

const expected: ReadonlyArray<Expected> = [
  { query: "identity", statement: queries.identity, uses: headOf },
  { query: "head", statement: queries.head, uses: headOf },
  // Of its row as many dead ones may be in the way as commits since the oldest snapshot that somebody holds.
  {
    query: "head, for a commit",
    statement: { name: "kept", text: headSql("S").replace("INTO kept, head", "") },
    uses: [/Index Only Scan Backward using head_pkey/, index("event_pkey")]
  },
  { query: "names of streams", statement: queries.names("stream"), uses: [/ stream_pkey\b/] },
  ...directions.map((reverse) => ({
    query: `a page of a stream, reverse ${reverse}`,
    statement: queries.streamPage({ byId: false, reverse }),
    uses: [
      reverse ? /Index Scan Backward using event_stream_seq_key/ : /Index Scan using event_stream_seq_key/,
      /Index Cond: \(\(stream = .*seq >= .*seq <= /,
      index("stream_name_key")
    ]
  })),
  ...directions.flatMap((reverse) =>
    directions.flatMap((types) => {
      const values = ["0", "3000", "1000", ...types ? ["'{Happened,Other}'"] : []]
      return [
        ...(["range", "prefix"] as const).map((by) => ({
          query: `a page of all by ${by}, types ${types}, reverse ${reverse}`,
          statement: queries.allPage({ by, types, reverse, byId: false }),
          values: [...values, "'user-'"],
          uses: [
            reverse ? /Index Scan Backward using event_pkey/ : /Index Scan using event_pkey/,
            /Index Cond: \(.*position\W* > .*position\W* <= /,
            index("stream_pkey")
          ]
        })),
        {
          query: `a page of all by streams, types ${types}, reverse ${reverse}`,
          statement: queries.allPage({ by: "streams", types, reverse, byId: false }),
          values: [...values, "'{1,2,3}'"],
          uses: [/Index Scan using event_stream_seq_key|Bitmap Index Scan on event_stream_seq_key/],
          sorts: true
        }
      ]
    })
  ),
  {
    query: "the sizes of streams",
    statement: queries.streamSizes,
    uses: [index("stream_name_key"), index("event_stream_seq_key")]
  },
  ...directions.map((bounded) => ({
    query: `a page of streams, bounded ${bounded}`,
    statement: queries.streamsPage({ bounded, shortened: false }),
    uses: [index("stream_name_key"), index("event_stream_seq_key")]
  })),
  ...directions.map((bounded) => ({
    query: `a page of streams that were truncated, bounded ${bounded}`,
    statement: queries.streamsPage({ bounded, shortened: true }),
    uses: [index("stream_shortened"), index("event_stream_seq_key")]
  })),
  { query: "a key", statement: queries.entry, uses: [index("entry_pkey"), /\(namespace = .*key = /] },
  { query: "several keys", statement: queries.entries(false), uses: [index("entry_pkey"), /\(namespace = .*key = /] },
  { query: "shared keys", statement: queries.entries(true), uses: [index("entry_pkey"), /\(namespace = .*key = /] },
  ...directions.flatMap((reverse) =>
    directions.map((bounded) => ({
      query: `a page of keys, reverse ${reverse}, bounded ${bounded}`,
      statement: queries.entryPage(reverse, bounded),
      uses: [
        reverse ? /Index Scan Backward using entry_pkey/ : /Index Scan using entry_pkey/,
        bounded ? /\(namespace = .*key >= .*key < / : /\(namespace = .*key >= /
      ]
    }))
  ),
  {
    query: "what changed",
    statement: queries.changedPage,
    uses: [index("entry_by_revision"), /\(namespace = .*revision > /]
  },
  { query: "namespaces", statement: queries.namespacesPage, uses: [/ (entry_by_revision|entry_pkey)\b/] },
  { query: "commits by id", statement: queries.recorded, uses: [index("recorded_pkey")], sorts: true },
  { query: "voided ids", statement: queries.voided, uses: [] }
]

// Few rows, and never many: reading these whole is no fault.
const small = /Seq Scan on (store|head|type|namespace|voided)\b/

/** A named statement's plan, whatever its parameters; the plan for these values where it has no name. */
const planOf = Effect.fnUntraced(function*(client: Client, { statement, values = [] }: Expected, schema: string) {
  const { name, text } = statement
  const sql = text.replaceAll("S.", `${schema}.`)
  const explain = (what: string) =>
    Effect.map(
      ask(client, `EXPLAIN (COSTS OFF) ${what}`),
      ({ rows }) => rows.map((row) => String(row["QUERY PLAN"]))
    )
  if (name === undefined) return yield* explain(sql.replaceAll(/\$(\d)/g, (_, n) => values[Number(n) - 1] ?? "NULL"))
  const count = Math.max(0, ...Array.from(text.matchAll(/\$(\d)/g), ([, n]) => Number(n)))
  yield* ask(client, `PREPARE planned AS ${sql}`)
  const nulls = Array.from({ length: count }, () => "NULL")
  const plan = yield* explain(`EXECUTE planned${count === 0 ? "" : `(${nulls.join()})`}`)
  yield* ask(client, "DEALLOCATE planned")
  return plan
})

/** A store with statistics, of a kind that invites the planner to take another way. */
const analysed = (streamOf: (n: number) => string) =>
  Effect.tap(newStore, ({ backend, schema, url }) =>
    Effect.gen(function*() {
      yield* backend.commit(NonEmpty.makeBy(3000, (n) => ({
        ...appendOf(streamOf(n), "1"),
        identity: { id: `id ${n}`, digest: "d" },
        write: [putOf(`n-${n % 7}`, `k-${n}`, "1")]
      })))
      yield* ask(
        yield* newClient(url),
        `ANALYZE ${schema}.event, ${schema}.stream, ${schema}.entry, ${schema}.recorded`
      )
    }))

const stores = [
  ["a store of few long streams and many short ones", analysed((n) => n % 2 === 0 ? `rare-${n}` : `user-${n % 3}`)],
  ["a store of as many streams as events", analysed((n) => `user-${n}`)]
] as const

describe.each(stores)("query plans in %s", (_, store) => {
  it.live("go through indexes", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* store
      const client = yield* newClient(url)
      yield* ask(client, "SET plan_cache_mode = force_generic_plan")
      for (const one of expected) {
        const { query, sorts, uses } = one
        const plan = yield* planOf(client, one, schema)
        const said = `${query}:\n${plan.join("\n")}`
        for (const use of uses) assert.match(plan.join("\n"), use, said)
        const passes = plan.filter((line) => line.includes("Seq Scan") && !small.test(line))
        assert.deepStrictEqual(passes, [], said)
        if (sorts !== true) assert.isFalse(plan.some((line) => /^ *(->)? *(Incremental )?Sort$/.test(line)), said)
      }
    }))
})
