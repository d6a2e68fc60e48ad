/** Starts a server, prints where its data lies and its process, and is killed without having ended it. */
import * as Effect from "effect/Effect"
import { sharedPostgres, sql } from "../postgres.ts"

const { url } = await Effect.runPromise(sharedPostgres)
const [row] = await Effect.runPromise(sql(
  url,
  `SELECT current_setting('data_directory') AS data,
    substring(pg_read_file('postmaster.pid') FROM '^[0-9]+') AS pid`
))
process.stdout.write(`${String(row?.data)} ${String(row?.pid)}\n`, () => process.kill(process.pid, "SIGKILL"))
