/** Types follow: the state from the seed or the schema, the event from the catalogue, failures from the decision. */
import { anyEvents, Catalogue, Decider, Projection } from "@persist/core"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const Shop = Catalogue.make({ Tagged: Schema.String, Counted: Schema.Int })

interface Order {
  readonly status: "new" | "paid"
  items: Array<string>
  readonly who?: string | undefined
}

type Shape = { readonly kind: "dot"; readonly n: number } | { readonly kind: "line"; readonly to: string }

const State = Schema.Struct({ tags: Schema.Array(Schema.String), kind: Schema.Literals(["a", "b"]) })

export const ofNumber: Projection<number, typeof Shop> = Projection.make({
  name: "n",
  version: 1,
  seed: 0,
  events: Shop,
  step: (n, event) => event.type === "Tagged" ? n + event.data.length : n + event.data
})

export const ofEverything: Projection<number, typeof anyEvents> = Projection.make({
  name: "n",
  version: 1,
  seed: 0,
  step: (n, { data }) => data === null ? n : n + 1
})

export const ofMap: Projection<Map<string, number>, typeof Shop> = Projection.make({
  name: "n",
  version: 1,
  seed: () => new Map<string, number>(),
  events: Shop,
  step: (map, { data, type }) => new Map(map).set(type, Number(data))
})

export const ofSchema: Projection<typeof State.Type, typeof Shop> = Projection.make({
  name: "n",
  version: 1,
  state: State,
  seed: { tags: [], kind: "a" },
  events: Shop,
  step: ({ kind, tags }, { data }) => ({ tags: [...tags, String(data)], kind: kind === "a" ? "b" : "a" })
})

// Literals and mutable lists as they are written, without annotations.
export const ofOrder: Projection<Order, typeof Shop> = Projection.make({
  name: "n",
  version: 1,
  seed: (): Order => ({ status: "new", items: [] }),
  events: Shop,
  step: (order, event) =>
    event.type === "Tagged"
      ? { ...order, items: [...order.items, event.data] }
      : { status: "paid", items: order.items }
})

export const ofUnion: Projection<Shape, typeof Shop> = Projection.make({
  name: "n",
  version: 1,
  seed: (): Shape => ({ kind: "dot", n: 1 }),
  events: Shop,
  step: (shape, { data }) => shape.kind === "dot" ? { kind: "line", to: String(data) } : { kind: "dot", n: 0 }
})

// @ts-expect-error: the step gives another kind of state
Projection.make({ name: "n", version: 1, seed: 0, events: Shop, step: (n, { data }) => `${n}${data}` })

const newOrder = (): Order => ({ status: "new", items: [] })

// @ts-expect-error: no such status
Projection.make({ name: "n", version: 1, seed: newOrder, step: (order) => ({ ...order, status: "lost" }) })

// @ts-expect-error: the seed doesn't fit the schema
Projection.make({ name: "n", version: 1, seed: "0", state: Schema.Int, step: (n) => n })

// @ts-expect-error: no event has such data
Projection.make({ name: "n", version: 1, seed: 0, events: Shop, step: (n, event) => n + event.data.nothing })

class Closed {
  readonly _tag = "Closed"
  readonly since = 1
}

class TooMany {
  readonly _tag = "TooMany"
  readonly most = ""
}

type Command = { readonly type: "tag"; readonly tag: string } | { readonly type: "count" }

export const decider: Decider<Order, typeof Shop, Command, Closed | TooMany> = Decider.make({
  name: "d",
  projection: ofOrder,
  decide: (order, command: Command) => {
    if (order.status === "paid") return Result.fail(new Closed())
    if (order.items.length > 9) return Result.fail(new TooMany())
    return command.type === "tag" ? [{ type: "Tagged", data: command.tag }] : []
  }
})

export const unfailing: Decider<Order, typeof Shop, number, never> = Decider.make({
  name: "d",
  projection: ofOrder,
  decide: (order, n: number) => [{ type: "Counted", data: order.items.length + n }]
})

// @ts-expect-error: no such event
Decider.make({ name: "d", projection: ofOrder, decide: (_order, n: number) => [{ type: "Counter", data: n }] })

// @ts-expect-error: the data of this event is a number
Decider.make({ name: "d", projection: ofOrder, decide: (_order, n: number) => [{ type: "Counted", data: `${n}` }] })

// @ts-expect-error: a number is no decision
Decider.make({ name: "d", projection: ofOrder, decide: (_order, n: number) => n })
