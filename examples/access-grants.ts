/**
 * Access grants. They were a Set of strings, without a word on who granted what to whom and when. Now grants and
 * revocations are events, and the current grants a projection: with snapshots, so that a long history is read once.
 * That an invitation is used only once, whatever it is used for, is a key that must be absent in the very commit that
 * uses it.
 */
import * as assert from "node:assert/strict"
import { Catalogue, open, Projection, Schema, SnapshotPolicy } from "persist"

class InMemoryGrants {
  readonly #grants = new Set<string>()
  readonly #used = new Set<string>()
  grant(resource: string, user: string, invitation: string) {
    if (this.#used.has(invitation)) return false
    this.#used.add(invitation)
    this.#grants.add(`${resource} ${user}`)
    return true
  }
  revoke(resource: string, user: string) {
    this.#grants.delete(`${resource} ${user}`)
  }
  usersOf(resource: string) {
    return [...this.#grants].filter((grant) => grant.startsWith(`${resource} `)).map((grant) => grant.split(" ")[1])
  }
}

const changes = Catalogue.make({
  Granted: Schema.Struct({ user: Schema.String, invitation: Schema.String }),
  Revoked: Schema.Struct({ user: Schema.String })
})

const nobody: ReadonlyArray<string> = []
const current = Projection.make({
  name: "current-grants",
  version: 1,
  events: changes,
  seed: nobody,
  step: (users, { data, type }) => {
    const others = users.filter((user) => user !== data.user)
    return type === "Granted" ? [...others, data.user] : others
  }
})

const openGrants = async (url: string) => {
  const store = await open(url)
  const log = store.log(changes)
  const used = store.kv("used-invitations", Schema.String)
  return {
    store,
    grant: async (resource: string, user: string, invitation: string) => {
      const outcome = await store.commit([
        log.ops.append(resource, { type: "Granted", data: { user, invitation } }, { expected: "any" }),
        used.ops.put(invitation, resource, { expected: "absent" })
      ])
      return outcome._tag === "Committed"
    },
    revoke: (resource: string, user: string) =>
      log.append(resource, { type: "Revoked", data: { user } }, { expected: "exists" }),
    /** Who may, and how many events had to be read to know. */
    usersOf: (resource: string) => store.load(current, { stream: resource, snapshots: SnapshotPolicy.every(100) }),
    [Symbol.asyncDispose]: () => store.close()
  }
}

const before = new InMemoryGrants()
{
  await using now = await openGrants("sqlite:grants.db")

  // A long history: 150 people come to the wiki, and all but the last ten go.
  for (let n = 1; n <= 150; n++) {
    before.grant("wiki", `user-${n}`, `invitation-${n}`)
    await now.grant("wiki", `user-${n}`, `invitation-${n}`)
    if (n <= 10) continue
    before.revoke("wiki", `user-${n - 10}`)
    await now.revoke("wiki", `user-${n - 10}`)
  }

  // One invitation, two resources, at once: one of them gets it, and of the other commit nothing is there.
  const won = await Promise.all(["wiki", "blog"].map((resource) => now.grant(resource, "eve", "invitation-x")))
  assert.deepEqual(won, ["wiki", "blog"].map((resource) => before.grant(resource, "eve", "invitation-x")))
  assert.deepEqual(won, [true, false])
  console.log("an invitation for both wiki and blog: wiki got it, blog has", (await now.usersOf("blog")).seq, "events")

  const { replayed } = await now.usersOf("wiki")
  console.log(`first load: ${replayed} events read, and the state saved`)
  assert.equal(replayed, 291)
}

// The program was restarted, and somebody else comes.
await using now = await openGrants("sqlite:grants.db")
before.grant("wiki", "zoe", "invitation-z")
await now.grant("wiki", "zoe", "invitation-z")

const { from, replayed, state } = await now.usersOf("wiki")
console.log(`after a restart: ${replayed} event read on top of the snapshot at seq ${from?.seq}`)
console.log("may edit the wiki:", state.join(", "))
assert.deepEqual(state, before.usersOf("wiki"))
assert.equal(replayed, 1)

// Whatever is derived may go: without its snapshots the answer is the same.
await now.store.deleteSnapshots({ projection: current.name })
assert.deepEqual((await now.usersOf("wiki")).state, state)

// What was true before is a question of when.
const early = await now.store.project(current, { stream: "wiki", asOf: { seq: 3 } })
assert.deepEqual(early.state, ["user-1", "user-2", "user-3"])
