/**
 * Sessions. They were a Map, and a restart logged everybody out. Now they are keys of one namespace: a login expects
 * the token to be absent, a renewal expects the revision it has read, and a sweep scans for what has expired. The time
 * comes from outside, so that everything here can be replayed.
 */
import * as assert from "node:assert/strict"
import { open, Schema } from "persist"

class InMemorySessions {
  readonly #sessions = new Map<string, { user: string; until: number }>()
  logIn(token: string, user: string, until: number) {
    if (this.#sessions.has(token)) return false
    this.#sessions.set(token, { user, until })
    return true
  }
  renew(token: string, now: number, until: number) {
    const session = this.#sessions.get(token)
    if (session === undefined || session.until <= now) return false
    session.until = until
    return true
  }
  sweep(now: number) {
    for (const [token, { until }] of this.#sessions) if (until <= now) this.#sessions.delete(token)
  }
  list() {
    return Array.from(this.#sessions, ([token, { until, user }]) => ({ token, user, until })).sort(byToken)
  }
}
const byToken = (a: { token: string }, b: { token: string }) => a.token < b.token ? -1 : 1

const Session = Schema.Struct({ user: Schema.String, until: Schema.Int })

const openSessions = async (url: string) => {
  const store = await open(url)
  const sessions = store.kv("sessions", Session)
  return {
    sessions,
    logIn: async (token: string, user: string, until: number, device: string) => {
      const put = await sessions.put(token, { user, until }, { expected: "absent", meta: { device } })
      return put._tag === "Committed"
    },
    renew: async (token: string, now: number, until: number) => {
      for (;;) {
        const entry = await sessions.entry(token)
        if (entry === undefined || entry.value.until <= now) return false
        const put = await sessions.put(token, { ...entry.value, until }, { expected: entry.revision, meta: entry.meta })
        if (put._tag === "Committed") return true // A conflict: somebody else wrote it meanwhile, so look again.
      }
    },
    sweep: async (now: number) => {
      for await (const { key, revision, value } of sessions.scan()) {
        // A session that is renewed at this very moment has another revision, and stays.
        if (value.until <= now) await sessions.delete(key, { expected: revision })
      }
    },
    list: async () => (await sessions.scan().toArray()).map(({ key, value }) => ({ token: key, ...value })),
    [Symbol.asyncDispose]: () => store.close()
  }
}

const minutes = 60_000
const start = Date.UTC(2026, 0, 1, 9)
const before = new InMemorySessions()
{
  await using now = await openSessions("sqlite:sessions.db")

  // Whoever cares is told of every change, in order, deletions included.
  const seen = new Array<string>()
  const watching = (async () => {
    for await (const change of now.sessions.watch({ after: 0 })) {
      seen.push(`${change._tag} ${change.key}`)
      if (change._tag === "Deleted") return
    }
  })()

  for (const [token, user, until] of [["t1", "ada", 30], ["t2", "ben", 10], ["t1", "eve", 99]] as const) {
    const expected = before.logIn(token, user, start + until * minutes)
    assert.equal(await now.logIn(token, user, start + until * minutes, "phone"), expected)
  }
  assert.equal(
    await now.renew("t1", start + 5 * minutes, start + 60 * minutes),
    before.renew("t1", start + 5 * minutes, start + 60 * minutes)
  )
  before.sweep(start + 20 * minutes)
  await now.sweep(start + 20 * minutes)
  await watching
  console.log("seen:", seen.join(", "))
  assert.equal(seen.at(-1), "Deleted t2")
}

// The program was restarted: ada is still logged in.
await using now = await openSessions("sqlite:sessions.db")
assert.deepEqual(await now.list(), before.list())
assert.equal((await now.sessions.entry("t1"))?.meta?.["device"], "phone")
for (const { token, until, user } of await now.list()) {
  console.log(`${token}: ${user} until ${new Date(until).toISOString()}`)
}

// Two renewals at once: both succeed, one of them on its second attempt.
assert.deepEqual(
  await Promise.all([61, 62].map((until) => now.renew("t1", start, start + until * minutes))),
  [true, true]
)
