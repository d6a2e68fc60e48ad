/** Projections into tables by the command line: modules that bring their own connections, on SQLite and PostgreSQL. */
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { sharedPostgres, sql } from "../servers/postgres.ts"
import { type Desk, openDesk, root } from "./program.ts"

const of = (path: string) => JSON.stringify(join(root, path))

const moduleOf = (setUp: string, transact: string, write: string) => `
import { Catalogue } from ${of("packages/core/src/index.ts")}
import { tables } from ${of("packages/runner/src/index.ts")}
import * as Effect from ${of("node_modules/effect/dist/Effect.js")}
import * as Schema from ${of("node_modules/effect/dist/Schema.js")}
${setUp}

export const turnover = tables({
  name: "turnover",
  events: Catalogue.make({ Paid: Schema.Struct({ by: Schema.String, cents: Schema.Int }) }),
  partitions: 2,
  key: ({ data }) => data.by,
  transact: ${transact},
  handle: (own, events) =>
    Effect.forEach(events, ({ data: { by, cents } }) => ${write}, { discard: true })
})
`

const upsert = (by: string, cents: string) =>
  `INSERT INTO turnover VALUES (${by}, ${cents}) ` +
  "ON CONFLICT (by) DO UPDATE SET cents = turnover.cents + excluded.cents"

const table = "CREATE TABLE turnover (by text PRIMARY KEY, cents int NOT NULL)"
const payments = [["ann", 1], ["bob", 20], ["ann", 300], ["ann", 4000]] as const
const total = [{ by: "ann", cents: 4301 }, { by: "bob", cents: 20 }]

/** Runs what a module exports until all are healthy, and asks it to leave, which it does at once. */
const runIt = async (desk: Desk, text: string, ...store: ReadonlyArray<string>) => {
  writeFileSync(desk.path("turnover.ts"), text)
  const lines = payments.map(([by, cents]) => ({ stream: `paid/${by}`, type: "Paid", data: { by, cents } }))
  await desk.runWith(
    lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    "import",
    "-",
    "--name",
    "all",
    ...store
  )
  const running = desk.start("run", "turnover.ts", ...store)
  while (!(await desk.run("projections", "show", "turnover", ...store)).stdout.includes("caught up"));
  running.process.kill("SIGINT")
  expect(await running.ended).toMatchObject({ code: 130 })
}

test("tables in the store's own file", async () => {
  using desk = openDesk()
  await desk.run("init")
  using db = Object.assign(new Database(desk.path("app.db")), { [Symbol.dispose]: () => void db.close() })
  db.exec(table)
  await runIt(
    desk,
    moduleOf(
      `import Database from ${of("node_modules/better-sqlite3/lib/index.js")}
       import { transactions } from ${of("packages/backend-sqlite/src/index.ts")}`,
      `transactions({ db: new Database("app.db") })`,
      `Effect.sync(() => own.prepare(${JSON.stringify(upsert("?", "?"))}).run(by, cents))`
    )
  )
  expect(db.prepare("SELECT * FROM turnover ORDER BY by").all()).toEqual(total)
  expect(await desk.run("verify")).toMatchObject({ code: 0 })
})

test("tables in the store's own database", () =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const url = yield* Effect.flatMap(sharedPostgres, ({ database }) => database)
    yield* sql(url, table)
    using desk = openDesk()
    const text = moduleOf(
      `import pg from ${of("node_modules/pg/esm/index.mjs")}
       import { transactions } from ${of("packages/backend-postgres/src/index.ts")}`,
      `transactions({ pool: new pg.Pool({ connectionString: ${JSON.stringify(url)} }) })`,
      `Effect.tryPromise(() => own.query(${JSON.stringify(upsert("$1", "$2"))}, [by, cents]))`
    )
    yield* Effect.promise(() => runIt(desk, text, "--store", url))
    expect(yield* sql(url, "SELECT * FROM turnover ORDER BY by")).toEqual(total)
  }))), 60_000)
