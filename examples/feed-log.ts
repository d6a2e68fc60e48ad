/**
 * A feed. It was one array of activities, filtered for every reader, and gone after a restart. Now every author has a
 * stream, the log's total order is the timeline of all of them, and each follower's own timeline is a key of a read
 * model that follows the log. Who follows whom is a current value: a key, checked in the commit that needs it to be
 * so.
 */
import * as assert from "node:assert/strict"
import { Catalogue, open, ReadModel, Schema } from "persist"

class InMemoryFeed {
  readonly #followers = new Map<string, ReadonlyArray<string>>()
  readonly #activities = new Array<{ author: string; text: string; audience: ReadonlyArray<string> }>()
  follow(follower: string, author: string) {
    this.#followers.set(author, [...this.#followers.get(author) ?? [], follower])
  }
  post(author: string, text: string) {
    this.#activities.push({ author, text, audience: this.#followers.get(author) ?? [] })
  }
  timeline(follower: string) {
    return this.#activities.filter(({ audience }) => audience.includes(follower)).map(lineOf).reverse()
  }
  everything() {
    return this.#activities.map(lineOf)
  }
}
const lineOf = ({ author, text }: { author: string; text: string }) => `${author}: ${text}`

const Names = Schema.Array(Schema.String)
const activities = Catalogue.make({
  Posted: Schema.Struct({ author: Schema.String, text: Schema.String, audience: Names })
})

const timelines = ReadModel.make({
  name: "timelines",
  version: 1,
  events: activities,
  keys: ({ data }) => data.audience,
  value: Names,
  seed: [],
  step: (lines, { data }) => [lineOf(data), ...lines].slice(0, 100)
})

const openFeed = async (url: string) => {
  const store = await open(url)
  const log = store.log(activities)
  const followers = store.kv("followers", Names)
  return {
    store,
    log,
    follow: async (follower: string, author: string) => {
      for (;;) {
        const entry = await followers.entry(author)
        const names = [...entry?.value ?? [], follower]
        const put = await followers.put(author, names, { expected: entry?.revision ?? "absent" })
        if (put._tag === "Committed") return
      }
    },
    post: async (author: string, text: string) => {
      for (;;) {
        const entry = await followers.entry(author)
        const posted = { type: "Posted", data: { author, text, audience: entry?.value ?? [] } } as const
        // Whoever follows at this very moment is not missed: then the check fails, and the audience is looked up again.
        const outcome = await store.commit([
          log.ops.append(`user/${author}`, posted, { expected: "any" }),
          followers.ops.check(author, entry?.revision ?? "absent")
        ])
        if (outcome._tag === "Committed") return outcome.position
      }
    },
    [Symbol.asyncDispose]: () => store.close()
  }
}

const before = new InMemoryFeed()
{
  await using now = await openFeed("sqlite:feed.db")
  for (const [follower, author] of [["ben", "ada"], ["cyd", "ada"], ["ada", "ben"]] as const) {
    before.follow(follower, author)
    await now.follow(follower, author)
  }
  for (const [author, text] of [["ada", "hello"], ["ben", "hi ada"], ["ada", "how are you?"]] as const) {
    before.post(author, text)
    await now.post(author, text)
  }
}

// The program was restarted. Nobody's timeline has been looked at yet: the read model starts with what's there.
await using now = await openFeed("sqlite:feed.db")
await using running = now.store.runReadModel(timelines)
const timelineOf = async (follower: string) => await now.store.kv(timelines).get(follower) ?? []

const position = await now.post("ada", "and still here")
before.post("ada", "and still here")
await now.store.waitFor(timelines, position)
for (const follower of ["ada", "ben", "cyd"]) {
  const timeline = await timelineOf(follower)
  console.log(`${follower} sees: ${timeline.join(" | ")}`)
  assert.deepEqual(timeline, before.timeline(follower))
}

// The timeline of everybody is the log itself; an author's latest words are the end of a stream.
const everything = await now.log.readAll({ prefix: "user/" }).toArray()
console.log("everybody:", everything.map(({ data }) => lineOf(data)).join(" | "))
assert.deepEqual(everything.map(({ data }) => lineOf(data)), before.everything())
const [latest] = await now.log.read("user/ada", { reverse: true, limit: 1 }).toArray()
assert.deepEqual([latest?.seq, latest?.data.text], [3, "and still here"])

await running.stop()
assert.equal(await running.ended, undefined)
