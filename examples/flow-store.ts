/**
 * A workflow's state. It was a Map from flow to status that each step overwrote: of two workers that took the same
 * step at once both thought they had it. Now every flow is a stream, its state is a projection, and whoever appends
 * says which state they have seen; who comes second gets a conflict, which a decider settles by deciding again.
 */
import * as assert from "node:assert/strict"
import { Catalogue, Decider, open, Projection, Schema } from "persist"

interface Flow {
  readonly status: "none" | "waiting" | "working" | "done"
  readonly worker: string | undefined
}

class InMemoryFlows {
  readonly #flows = new Map<string, Flow>()
  start(id: string) {
    this.#flows.set(id, { status: "waiting", worker: undefined })
  }
  take(id: string, worker: string) {
    if (this.get(id).status === "waiting") this.#flows.set(id, { status: "working", worker })
  }
  finish(id: string, worker: string) {
    if (this.get(id).worker === worker) this.#flows.set(id, { status: "done", worker })
  }
  get(id: string): Flow {
    return this.#flows.get(id) ?? none
  }
}
const none: Flow = { status: "none", worker: undefined }

const events = Catalogue.make({
  Started: Schema.Struct({ title: Schema.String }),
  Taken: Schema.Struct({ worker: Schema.String }),
  Finished: Schema.Struct({ worker: Schema.String })
})

const flow = Projection.make({
  name: "flow",
  version: 1,
  events,
  seed: none,
  step: (state, { data, type }): Flow =>
    type === "Started"
      ? { ...state, status: "waiting" }
      : { status: type === "Taken" ? "working" : "done", worker: data.worker }
})

type Command = { readonly do: "take" | "finish"; readonly worker: string }

// No events: there is nothing to do, because somebody else has done it.
const flows = Decider.make({
  name: "flows",
  projection: flow,
  decide: ({ status, worker }, command: Command) =>
    command.do === "take" && status === "waiting"
      ? [{ type: "Taken", data: { worker: command.worker } }]
      : command.do === "finish" && status === "working" && worker === command.worker
      ? [{ type: "Finished", data: { worker } }]
      : []
})

const before = new InMemoryFlows()
before.start("flow/1")
before.take("flow/1", "ann")
before.take("flow/1", "bob")
{
  await using store = await open("sqlite:flows.db")
  const log = store.log(events)
  await log.append("flow/1", { type: "Started", data: { title: "Send the invoice" } }, { expected: 0 })

  // By hand: both workers have seen seq 1 and both append after it. One of them is told what came in between.
  const attempts = await Promise.all(
    ["ann", "bob"].map((worker) => log.append("flow/1", { type: "Taken", data: { worker } }, { expected: 1 }))
  )
  const conflict = attempts.find((attempt) => attempt._tag === "Conflict")
  assert.ok(conflict?._tag === "Conflict")
  const missing = await log.missing(conflict).toArray()
  console.log(`conflict: the flow is at seq ${conflict.actual}, missing: ${missing.map(({ type }) => type).join(", ")}`)
  assert.deepEqual(missing.map(({ data }) => data), [{ worker: "ann" }])

  // By decider: the loser decides again on what the winner did, and finds that there is nothing left to do.
  await log.append("flow/2", { type: "Started", data: { title: "Call back" } }, { expected: 0 })
  const [first, second] = await Promise.all(
    ["ann", "bob"].map((worker) => store.decide(flows, "flow/2", { do: "take", worker }))
  )
  assert.ok(first?._tag === "Decided" && second?._tag === "Decided")
  assert.deepEqual([first.appended?.first, second.appended, second.conflicts], [2, undefined, 1])
  console.log("decided: ann has flow/2; bob lost the race, looked again and left it alone")
}

// The program was restarted: the flow is where it was, and ann can finish it.
await using store = await open("sqlite:flows.db")
const stateOf = async (id: string) => (await store.load(flow, { stream: id })).state
assert.deepEqual(await stateOf("flow/1"), before.get("flow/1"))

before.finish("flow/1", "ann")
await store.decide(flows, "flow/1", { do: "finish", worker: "ann" })
assert.deepEqual(await stateOf("flow/1"), before.get("flow/1"))

const asOf = await store.project(flow, { stream: "flow/1", asOf: { seq: 1 } })
console.log(`flow/1 is ${(await stateOf("flow/1")).status}; at seq 1 it was ${asOf.state.status}`)
assert.equal(asOf.state.status, "waiting")
