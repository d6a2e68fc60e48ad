/** PostgreSQL for the crash proof: servers that are killed, frozen and replaced, behind a network that fails. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { lasting } from "../servers/lasting.ts"
import { type PostgresServer, sql, startPostgres } from "../servers/postgres.ts"
import { type Loss, type Proxy, startProxy } from "../servers/proxy.ts"
import { startReplicated } from "../servers/replication.ts"
import type { Dice } from "./dice.ts"
import type { Troubled } from "./trouble.ts"

/** A server behind a proxy, and what can take its place, once. */
interface Site {
  readonly proxy: Proxy
  server: PostgresServer
  promote: Effect.Effect<PostgresServer> | undefined
}

type Trouble = (site: Site, dice: Dice) => Effect.Effect<unknown>

const lossOf = (dice: Dice): Loss => dice.pick(["reset", "end"])

const cut: Trouble = ({ proxy }, dice) => {
  const at = dice.pick(["before", "after", "byte"] as const)
  const n = 1 + dice.below(at === "byte" ? dice.pick([200, 2000, 50_000]) : 40)
  return proxy.cut({ of: dice.pick(["client", "server"]), at, n, loss: lossOf(dice) })
}

const forAWhile = (dice: Dice) => Effect.promise(() => lasting(dice.below(dice.pick([50, 500]))))

const hold: Trouble = ({ proxy }, dice) => Effect.andThen(proxy.hold, Effect.andThen(forAWhile(dice), proxy.heal))

const freeze: Trouble = ({ server }, dice) =>
  Effect.andThen(server.freeze, Effect.andThen(forAWhile(dice), server.thaw))

/** Sends a signal to one of the sessions that clients have, as an administrator may. */
const signal = (by: "pg_terminate_backend" | "pg_cancel_backend"): Trouble => ({ server }, dice) =>
  sql(
    server.url,
    `SELECT ${by}(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
     ORDER BY pid OFFSET $1 LIMIT 1`,
    [dice.below(4)]
  )

/**
 * Ends the server and starts it again. It then shows commits that it had written and not acknowledged, of which its
 * standby may know nothing yet: it isn't replaced before it has heard from the standby, as PostgreSQL asks.
 */
const restart = (how: "kill" | "stop"): Trouble => ({ server }) =>
  Effect.all([server[how], server.start, sql(server.url, "SELECT pg_logical_emit_message(true, 'settled', '')")])

const replace: Trouble = (site) =>
  Effect.gen(function*() {
    yield* site.server.kill
    site.server = yield* site.promote ?? Effect.die(new Error("nobody can take its place"))
    site.promote = undefined
    yield* site.proxy.lead(site.server.port)
  })

const troubles: ReadonlyArray<readonly [weight: number, name: string, trouble: Trouble]> = [
  [50, "cut", cut],
  [10, "all cut", ({ proxy }, dice) => proxy.cutAll(lossOf(dice))],
  [8, "held", hold],
  [6, "frozen", freeze],
  [6, "killed", restart("kill")],
  [2, "stopped", restart("stop")],
  [8, "terminated", signal("pg_terminate_backend")],
  [8, "cancelled", signal("pg_cancel_backend")]
]

const sumOfWeights = troubles.reduce((sum, [weight]) => sum + weight, 0)

const draw = (site: Site, dice: Dice): readonly [name: string, trouble: Trouble] => {
  if (site.promote !== undefined && dice.percent(5)) return ["replaced", replace]
  let left = dice.below(sumOfWeights)
  for (const [weight, name, trouble] of troubles) {
    left -= weight
    if (left < 0) return [name, trouble]
  }
  throw new Error("the weights have another sum")
}

const troubled = (site: Site): Troubled => ({
  befall: (dice) => {
    const [name, trouble] = draw(site, dice)
    return Effect.as(trouble(site, dice), name)
  },
  calm: site.proxy.wasCut
})

const targetAt = (name: string, servers: Effect.Effect<Pick<Site, "server" | "promote">, never, Scope>) => ({
  name,
  writers: 3,
  place: Effect.gen(function*() {
    const { promote, server } = yield* servers
    const proxy = yield* startProxy(server.port)
    const url = proxy.through(server.url)
    return { url, readUrl: `${url}?readonly=true`, troubled: troubled({ proxy, server, promote }) }
  })
})

/** PostgreSQL: one server, several writers. */
export const postgres = targetAt("postgres", Effect.map(startPostgres(), (server) => ({ server, promote: undefined })))

/** PostgreSQL with a synchronous standby, which takes the primary's place. */
export const replicatedPostgres = targetAt(
  "postgres-replicated",
  Effect.map(startReplicated, ({ primary, promote, standby }) => ({
    server: primary,
    promote: Effect.as(promote, standby)
  }))
)
