/**
 * A moderation audit. It was an array of decisions, and whoever held it could change what had been decided. Now
 * decisions are events: there is no verb that changes one, and appending to the past is a conflict. What was true at a
 * time is a projection as of that time, and what belongs together is found by the report's number in the events' meta.
 */
import * as assert from "node:assert/strict"
import { Catalogue, open, Projection, Schema } from "persist"

class InMemoryAudit {
  readonly decisions = new Array<{ at: number; post: string; type: "Removed" | "Restored"; report: string }>()
  record(at: number, post: string, type: "Removed" | "Restored", report: string) {
    this.decisions.push({ at, post, type, report })
  }
  hiddenAt(at: number) {
    const hidden = new Set<string>()
    for (const decision of this.decisions) {
      if (decision.at > at) continue
      if (decision.type === "Removed") hidden.add(decision.post)
      else hidden.delete(decision.post)
    }
    return [...hidden]
  }
  ofReport(report: string) {
    return this.decisions.filter((decision) => decision.report === report).map(({ post, type }) => `${post} ${type}`)
  }
}

const Decision = Schema.Struct({ reason: Schema.String })
const decisions = Catalogue.make({ Removed: Decision, Restored: Decision })

const nothing: ReadonlyArray<string> = []
const hidden = Projection.make({
  name: "hidden",
  version: 1,
  events: decisions,
  seed: nothing,
  step: (posts, { stream, type }) => type === "Removed" ? [...posts, stream] : posts.filter((post) => post !== stream)
})

const day = (n: number) => Date.UTC(2026, 2, n)
const happened = [
  [day(1), "post/1", "Removed", "report-1"],
  [day(1), "post/2", "Removed", "report-1"],
  [day(3), "post/1", "Restored", "report-2"],
  [day(5), "post/3", "Removed", "report-3"]
] as const

const before = new InMemoryAudit()
{
  await using store = await open("sqlite:audit.db")
  const log = store.log(decisions)
  for (const [at, post, type, report] of happened) {
    before.record(at, post, type, report)
    // `at` is the clock's unless the caller knows better, as here, where decisions are imported.
    const event = { type, at, data: { reason: "spam" }, meta: { report, by: "mod-7" } }
    await log.append(post, event, { expected: await log.lastSeq(post) })
  }
}

// The program was restarted.
await using store = await open("sqlite:audit.db")
const log = store.log(decisions)

// Nobody can slip in a decision where there is one already.
const forged = await log.append("post/1", { type: "Restored", data: { reason: "never happened" } }, { expected: 1 })
assert.equal(forged._tag, "Conflict")

// Nor change one through what was read: it's a copy, while the array gave away the record itself.
const [decision] = before.decisions
if (decision !== undefined) decision.post = "post/9"
assert.notDeepEqual(before.hiddenAt(day(1)), ["post/1", "post/2"])
if (decision !== undefined) decision.post = "post/1"
const [read] = await log.read("post/1").toArray()
assert.ok(read !== undefined && Reflect.set(read.data, "reason", "never happened"))
const [again] = await log.read("post/1").toArray()
assert.equal(again?.data.reason, "spam")

// What was hidden, by the day.
for (const n of [1, 4, 6]) {
  const { state } = await store.project(hidden, { prefix: "post/", asOf: { at: day(n) } })
  console.log(`on March ${n}: ${state.join(", ")}`)
  assert.deepEqual(state, before.hiddenAt(day(n)))
}

// Everything that came of one report, over all posts, in the order in which it happened.
const trail = new Array<string>()
for await (const { meta, stream, type } of log.readAll({ prefix: "post/" })) {
  if (meta?.["report"] === "report-1") trail.push(`${stream} ${type}`)
}
console.log("report-1:", trail.join(", "))
assert.deepEqual(trail, before.ofReport("report-1"))
