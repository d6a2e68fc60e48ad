/** pgbouncer in transaction mode: consecutive transactions of one client run in whatever session is free. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { handOver } from "./account.ts"
import { freePort } from "./cluster.ts"
import { listening } from "./listening.ts"
import { newDirectory, removeDirectory } from "./place.ts"
import { onPort } from "./postgres.ts"
import { programOf, type Skippable } from "./program.ts"

interface Setup {
  readonly program: string
  readonly directory: string
  /** Of the server behind it; its user is the one that may connect. */
  readonly url: URL
  readonly port: number
  /** How many sessions it holds for each database. */
  readonly sessions: number
}

const configuration = ({ directory, port, sessions, url }: Setup): string =>
  `[databases]
* = host=${url.hostname} port=${url.port}
[pgbouncer]
pool_mode = transaction
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(directory, "users.txt")}
default_pool_size = ${sessions}
max_client_conn = 200
pidfile = ${join(directory, "pgbouncer.pid")}
`

const launch = async (setup: Setup): Promise<void> => {
  const { directory, program, url } = setup
  const files = [
    ["users.txt", `"${decodeURIComponent(url.username)}" "${decodeURIComponent(url.password)}"\n`],
    ["pgbouncer.ini", configuration(setup)]
  ] as const
  for (const [name, text] of files) {
    writeFileSync(join(directory, name), text, { mode: 0o600 })
    handOver(join(directory, name))
  }
  const started = await listening(program, [join(directory, "pgbouncer.ini")], /process up/)
  if (typeof started === "string") throw new Error(`pgbouncer doesn't start:\n${started}`)
}

/**
 * Starts a pgbouncer in front of the server of a URL, for that URL's user and any database; gives the URL by way of
 * it. It ends with the scope.
 */
export const startPgbouncer = (
  url: string,
  { context, sessions }: { readonly context: Skippable; readonly sessions: number }
): Effect.Effect<string, never, Scope> =>
  Effect.gen(function*() {
    const program = yield* programOf("pgbouncer", context)
    const directory = yield* Effect.acquireRelease(
      Effect.sync(newDirectory),
      (path) => Effect.sync(() => removeDirectory(path))
    )
    const port = yield* Effect.promise(freePort)
    yield* Effect.promise(() => launch({ program, directory, url: new URL(url), port, sessions }))
    return onPort(url, port)
  })
