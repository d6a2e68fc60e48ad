/** Two PostgreSQL servers, of which the second is a synchronous standby of the first and can take its place. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { execFileSync } from "node:child_process"
import { appendFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Client } from "pg"
import { serverAccount } from "./account.ts"
import { type Cluster, clusterOn, initialise, password, superuser } from "./cluster.ts"
import { newDirectory, removeDirectory } from "./place.ts"
import { type PostgresServer, serverOf, sql, urlOf } from "./postgres.ts"

/** A primary that acknowledges only what its standby has on disk as well. */
export interface Replicated {
  readonly primary: PostgresServer
  /** Answers reads, somewhat later than the primary, and writes only once it is promoted. */
  readonly standby: PostgresServer
  /** Makes the standby a primary without a standby of its own; ends when it takes writes. */
  readonly promote: Effect.Effect<void>
}

// What a backup leaves behind: the process, and the log that the standby gets from the primary.
const left = /\/(postmaster\.(pid|opts)|pg_wal\/.+|pg_replslot\/.+)$/

/** Copies the data of a running server as `pg_basebackup` does, which npm doesn't bring along. */
const copy = async (primary: Cluster, data: string): Promise<void> => {
  const client = new Client({ connectionString: urlOf(primary) })
  await client.connect()
  try {
    await client.query("SELECT pg_create_physical_replication_slot('standby', true), pg_backup_start('standby', true)")
    cpSync(primary.data, data, { recursive: true, filter: (path) => !left.test(path) })
    const { rows } = await client.query("SELECT labelfile FROM pg_backup_stop(false)")
    writeFileSync(join(data, "backup_label"), rows[0].labelfile)
  } finally {
    await client.end()
  }
}

const follow = (primary: Cluster, data: string): void => {
  const connection = `host=127.0.0.1 port=${primary.port} user=${superuser} password=${password}`
  writeFileSync(join(data, "standby.signal"), "")
  appendFileSync(
    join(data, "postgresql.auto.conf"),
    `primary_conninfo = '${connection}'\nprimary_slot_name = 'standby'\n`
  )
  const { gid, uid } = serverAccount()
  if (uid !== undefined) execFileSync("chown", ["-R", `${uid}:${gid}`, data])
}

const launch = async (directory: string) => {
  const primary = await clusterOn(await initialise(directory, "primary"))
  await primary.start()
  const data = join(directory, "standby")
  mkdirSync(data, { mode: 0o700 })
  await copy(primary, data)
  follow(primary, data)
  // A standby that has just lost its primary is deaf to its promotion for as long as it waits for it.
  const standby = await clusterOn(data, { wal_retrieve_retry_interval: "50ms" })
  await standby.start()
  return { primary: serverOf(primary), standby: serverOf(standby) }
}

const wait = (names: string) => `ALTER SYSTEM SET synchronous_standby_names = '${names}'`

/** Starts both; what the primary acknowledges from then on survives the loss of either. Ends with the scope. */
export const startReplicated: Effect.Effect<Replicated, never, Scope> = Effect.gen(function*() {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(newDirectory),
    (path) => Effect.sync(() => removeDirectory(path))
  )
  const { primary, standby } = yield* Effect.promise(() => launch(directory))
  yield* sql(primary.url, wait("*"))
  yield* sql(primary.url, "SELECT pg_reload_conf()")
  while ((yield* sql(primary.url, "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'")).length === 0);
  return {
    primary,
    standby,
    promote: Effect.gen(function*() {
      // Nobody will follow the new primary: it mustn't wait for anybody.
      yield* sql(standby.url, wait(""))
      yield* sql(standby.url, "SELECT pg_reload_conf(), pg_promote(true, 60)")
    })
  }
})
