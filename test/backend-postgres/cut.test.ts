/** Connections that are cut in a commit: whatever the store then says of it is true, and sent again it happens once. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import * as Effect from "effect/Effect"
import { makeDice } from "../crash/dice.ts"
import { sharedPostgres } from "../servers/postgres.ts"
import { type Cut, startProxy } from "../servers/proxy.ts"
import { type Claim, claimOf, commitUnder, send, verify } from "./claim.ts"

/** Commits by way of a proxy that cuts it, and checks what is claimed of it past the proxy. */
const setting = Effect.gen(function*() {
  const { database } = yield* sharedPostgres
  const url = yield* database
  const proxy = yield* startProxy(Number(new URL(url).port))
  const witness = yield* make({ url })
  const handle = yield* make({ url: proxy.through(url) })
  const seen = { tried: 0, cuts: 0, claims: new Set<Claim>(), happened: new Set<boolean>() }
  const attempt = Effect.fnUntraced(function*(where: Omit<Cut, "marker">) {
    const id = `${where.of} ${where.at} ${where.n} ${where.loss}, attempt ${++seen.tried}`
    const commit = commitUnder(id)
    yield* proxy.cut({ ...where, marker: id })
    const claim = claimOf(yield* send(handle, commit))
    const wasCut = yield* proxy.wasCut
    const happened = yield* verify(claim, commit, handle, witness, `${id}: ${claim}`)
    if (wasCut) {
      seen.cuts++
      seen.claims.add(claim)
      seen.happened.add(happened)
    }
    return wasCut
  })
  return { attempt, seen }
})

const losses = ["reset", "end"] as const
const sides = ["client", "server"] as const

describe("a connection that is cut in a commit", () => {
  it.live(
    "at any message, either way: what the store claims is true, and the commit happens once",
    () =>
      Effect.gen(function*() {
        const { attempt, seen } = yield* setting
        for (const of of sides) {
          for (const at of ["before", "after"] as const) {
            for (const loss of losses) {
              // As many as there are, three or more: the first that isn't met lies beyond the last.
              let n = 1
              while (yield* attempt({ of, at, n, loss })) n++
              assert.isAbove(n, 3)
            }
          }
        }
        // A connection that ends after the last of the answer has told all.
        assert.sameMembers([...seen.claims], ["unknown", "committed"])
        assert.sameMembers([...seen.happened], [true, false])
      }),
    60_000
  )

  it.live("at any byte, either way", () =>
    Effect.gen(function*() {
      const { attempt, seen } = yield* setting
      const dice = makeDice("1")
      while (seen.cuts < 25) {
        yield* attempt({ of: dice.pick(sides), at: "byte", n: dice.below(900), loss: dice.pick(losses) })
        assert.isBelow(seen.tried, 200)
      }
      assert.isTrue(seen.claims.has("unknown"))
      assert.sameMembers([...seen.happened], [true, false])
    }), 60_000)
})
