/** PostgreSQL for tests: a server of the test's own, or the one that `PERSIST_TEST_POSTGRES` names. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { rmSync } from "node:fs"
import { Client, type QueryResult } from "pg"
import { type Cluster, clusterOn, initialise, password, superuser } from "./cluster.ts"
import { newDirectory, removeDirectory } from "./place.ts"

/** Somewhere databases can be made. */
export interface Databases {
  /** The URL of an empty database of its own, which a superuser owns; dropped with the scope. */
  readonly database: Effect.Effect<string, never, Scope>
}

/** A server of the test's own, which it may stop, kill and freeze. `fsync` is on. */
export interface PostgresServer extends Databases {
  readonly port: number
  /** The URL of its first database. */
  readonly url: string
  /** Starts it on the same data and port, after `stop` or `kill`. */
  readonly start: Effect.Effect<void>
  /** Ends it in order. */
  readonly stop: Effect.Effect<void>
  /** Ends all its processes, as kill -9 does. */
  readonly kill: Effect.Effect<void>
  /** Stops all its processes where they are: connections stay open, and nobody answers. */
  readonly freeze: Effect.Effect<void>
  /** Lets frozen processes go on. */
  readonly thaw: Effect.Effect<void>
  /** Copies its data as they are now; what it gives puts the copy back. The server stops and starts for either. */
  readonly backup: Effect.Effect<Effect.Effect<void>>
}

/** Runs SQL on a connection of its own; gives the rows of its last statement. Dies where it fails. */
export const sql = (
  url: string,
  text: string,
  values?: ReadonlyArray<unknown>
): Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>> =>
  Effect.promise(async () => {
    const client = new Client({ connectionString: url })
    client.on("error", () => {}) // The query fails as well, or has its answer.
    await client.connect()
    try {
      // Several statements at once give an array of results, which the types don't know.
      const result: QueryResult | ReadonlyArray<QueryResult> = await client.query(text, values?.slice())
      return (Array.isArray(result) ? result.at(-1) : result).rows
    } finally {
      await client.end()
    }
  })

/** A name that nobody else uses on any server: of a database, a schema or a role. */
export const newName = (): string => `test_${randomBytes(8).toString("hex")}`

/** The same URL with another database. */
export const onDatabase = (url: string, database: string): string => {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.href
}

/** The same URL with another port of this machine: that of a proxy in front of the server. */
export const onPort = (url: string, port: number): string => {
  const other = new URL(url)
  other.host = `127.0.0.1:${port}`
  return other.href
}

const databaseOn = (url: string): Databases["database"] =>
  Effect.acquireRelease(
    Effect.gen(function*() {
      const name = newName()
      yield* sql(url, `CREATE DATABASE ${name} TEMPLATE template0`)
      return onDatabase(url, name)
    }),
    // The server may be gone by then, and its databases with it.
    (database) => Effect.ignoreCause(sql(url, `DROP DATABASE ${new URL(database).pathname.slice(1)} WITH (FORCE)`))
  )

/** A new schema's name in a database; with the scope the schema is dropped, if somebody made it. */
export const schemaIn = (url: string): Effect.Effect<string, never, Scope> =>
  Effect.acquireRelease(
    Effect.sync(newName),
    (schema) => Effect.ignoreCause(sql(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`))
  )

/** The URL of the first database of a cluster. */
export const urlOf = ({ port }: Pick<Cluster, "port">): string =>
  `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`

const backup = async (cluster: Cluster): Promise<Effect.Effect<void>> => {
  const kept = `${cluster.data}.kept`
  // Who owns what is kept as well.
  const put = async (from: string, to: string) => {
    await cluster.stop()
    rmSync(to, { recursive: true, force: true })
    execFileSync("cp", ["-a", from, to])
    await cluster.start()
  }
  await put(cluster.data, kept)
  return Effect.promise(() => put(kept, cluster.data))
}

/** What tests may do with a cluster. */
export const serverOf = (cluster: Cluster): PostgresServer => {
  const url = urlOf(cluster)
  return {
    port: cluster.port,
    url,
    database: databaseOn(url),
    start: Effect.promise(cluster.start),
    stop: Effect.promise(cluster.stop),
    kill: Effect.promise(cluster.kill),
    freeze: Effect.sync(cluster.freeze),
    thaw: Effect.sync(cluster.thaw),
    backup: Effect.promise(() => backup(cluster))
  }
}

type OptionsOfCluster = Parameters<typeof clusterOn> extends [string, ...infer Options] ? Options : never

const launch = async (...options: OptionsOfCluster) => {
  const directory = newDirectory()
  const cluster = await clusterOn(await initialise(directory, "data"), ...options)
  await cluster.start()
  return { directory, server: serverOf(cluster) }
}

/**
 * Starts a server of the test's own, with these settings of `postgresql.conf` and variables of its environment; it is
 * removed with the scope.
 */
export const startPostgres = (...options: OptionsOfCluster): Effect.Effect<PostgresServer, never, Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => launch(...options)),
      ({ directory }) => Effect.sync(() => removeDirectory(directory))
    ),
    ({ server }) => server
  )

let started: Promise<string> | undefined

/**
 * The server that tests share which do it no harm: the one that `PERSIST_TEST_POSTGRES` names by the URL of a
 * superuser, else one that is started when it is first asked for, and removed when this process ends.
 */
export const sharedPostgres: Effect.Effect<Databases & { readonly url: string }> = Effect.map(
  Effect.promise(() =>
    started ??= Promise.resolve(process.env.PERSIST_TEST_POSTGRES ?? launch().then(({ server }) => server.url))
  ),
  (url) => ({ url, database: databaseOn(url) })
)
