/** What the clients of a writer do: each move is one thing that applications do to a store. */
import type { Committed, Conflict, Op, StoreError, StoreShape } from "@persist/core"
import { catchUp, compact, load, Position, saveSnapshot, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { balance, type Claim, cutStreams, longStreams, modelStreams, sums } from "./claims.ts"
import type { Dice } from "./dice.ts"
import { tell } from "./message.ts"

/** A client: its dice, and what it remembers. */
export interface Client {
  readonly name: string
  readonly dice: Dice
  readonly store: StoreShape
  /** How many commits it made, which number their ids. */
  count: number
  /** How far it has read the total order. */
  after: Position
  /** Commits it may send again. */
  readonly sent: Array<Sent>
}

/** A commit as it was sent. */
export interface Sent {
  readonly ops: ReadonlyArray<Op>
  readonly options: { readonly id: string; readonly at: number }
}

type Move = (client: Client) => Effect.Effect<unknown, StoreError>

// What `at` counts from: no clock is read, so that a commit that is sent again is the same.
const epoch = 1_700_000_000_000

/** Commits under an id of the client's own. */
const commit = (client: Client, opsOf: (id: string) => ReadonlyArray<Op>) => {
  const id = `${client.name}.${++client.count}`
  const sent = { ops: opsOf(id), options: { id, at: epoch + client.count } }
  client.sent.push(sent)
  return send(client, sent)
}

/** Sends a commit as careful clients do: of an unknown outcome the store is asked what became of it. */
const send = ({ store }: Client, { ops, options }: Sent): Effect.Effect<Committed | Conflict, StoreError> =>
  store.commit(ops, options).pipe(
    Effect.catchTag("OutcomeUnknown", (error) =>
      Effect.flatMap(
        store.resolve(options.id),
        Option.match({ onNone: () => Effect.fail(error), onSome: Effect.succeed })
      )),
    Effect.tap((answer) => Effect.sync(() => tell({ _tag: "Told", id: options.id, answer })))
  )

// Mostly small, now and then larger than any page.
const padding = (dice: Dice): string => "x".repeat(dice.percent(95) ? dice.below(60) : dice.below(20_000))

/** Appends claims to a stream of which the last seq is known, or is of no interest. */
const claim = ({ dice, store }: Client, by: string, stream: string, after: number | undefined): Op => {
  const many = dice.percent(70) ? 1 : 2 + dice.below(3)
  const events = Array.from({ length: many }, (_, of) => {
    const data = { by, of, many, after: after ?? null, amount: dice.below(100), pad: padding(dice) } satisfies Claim
    return { type: "Claimed", data, ...dice.percent(10) ? { id: `${by}/${of}`, meta: { client: by } } : {} }
  })
  return store.log().ops.append(stream, events, { expected: after ?? "any" })
}

const anyStream = [...modelStreams, ...cutStreams, ...longStreams] as const

const appendAsExpected: Move = (client) => {
  const stream = client.dice.pick(anyStream)
  return Effect.flatMap(
    client.store.log().lastSeq(stream),
    (last) => commit(client, (id) => [claim(client, id, stream, last)])
  )
}

const appendAnyhow: Move = (client) => {
  const stream = client.dice.pick(anyStream)
  return commit(client, (id) => [claim(client, id, stream, undefined)])
}

/** Adds one to a counter, unless somebody was faster. */
const increment: Move = (client) => {
  const { dice, store } = client
  const counters = store.kv("counters")
  const key = `k${dice.below(4)}`
  return Effect.flatMap(counters.entry(key), (found) =>
    commit(client, () => [
      Option.match(found, {
        onNone: () => counters.ops.put(key, 1, { expected: "absent" }),
        onSome: ({ revision, value }) => counters.ops.put(key, Number(value) + 1, { expected: revision })
      })
    ]))
}

/** Everything at once: two streams, one of them as expected, keys that are written, and one that is deleted. */
const manyAtOnce: Move = (client) => {
  const { dice, store } = client
  const documents = store.kv("documents")
  const [one, other] = dice.percent(50) ? ["m/0", "c/0"] as const : ["t/0", "m/1"] as const
  return Effect.flatMap(store.log().lastSeq(one), (last) =>
    commit(client, (id) => [
      claim(client, id, one, last),
      claim(client, id, other, undefined),
      documents.ops.put(`d${dice.below(6)}`, dice.percent(50) ? { by: id } : new Uint8Array([1, 0, dice.below(256)])),
      documents.ops.delete(`e${dice.below(3)}`),
      store.kv("copies").ops.put(`c${dice.below(3)}`, id, { meta: { by: id } })
    ]))
}

const write: Move = (client) => {
  const { dice, store } = client
  const key = `${dice.pick(["d", "e"])}${dice.below(6)}`
  const { ops } = store.kv("documents")
  return commit(client, (id) => [dice.percent(70) ? ops.put(key, { by: id, pad: padding(dice) }) : ops.delete(key)])
}

const fillAndClear: Move = (client) => {
  const { dice, store } = client
  const { ops } = store.kv("scratch")
  return commit(client, (id) =>
    dice.percent(70)
      ? [ops.put(`a${dice.below(5)}`, id), ops.put(`b${dice.below(5)}`, id)]
      : [ops.clear()])
}

const truncate: Move = (client) => {
  const { dice, store } = client
  const stream = dice.pick(cutStreams)
  const log = store.log()
  return Effect.flatMap(log.lastSeq(stream), (last) =>
    commit(client, () =>
      dice.percent(80)
        ? [log.ops.truncate(stream, Math.max(1, last - dice.below(4)))]
        : [log.ops.delete(stream, { expected: last })]))
}

/** Only asks whether something holds. */
const check: Move = (client) => {
  const stream = client.dice.pick(anyStream)
  const { ops } = client.store.log()
  return Effect.flatMap(client.store.log().lastSeq(stream), (last) => commit(client, () => [ops.check(stream, last)]))
}

/** Sends one of its commits again, as a client does that never got the reply. */
const sendAgain: Move = (client) => {
  const sent = client.sent.at(-1 - client.dice.below(Math.min(20, client.sent.length)))
  return sent === undefined ? Effect.void : send(client, sent)
}

/** Reads on in the total order, now and then from its start. */
const readOn: Move = (client) => {
  const { dice, store: { engine } } = client
  if (dice.percent(5)) client.after = Position(0)
  const range = {
    after: client.after,
    to: Position(unbounded),
    prefix: "",
    types: undefined,
    limit: 1 + dice.below(100),
    reverse: false
  }
  return Effect.map(engine.backend.readAll(range), ({ through }) => {
    client.after = through
  })
}

const look: Move = ({ dice, store }) => store.kv("documents").getMany([`d${dice.below(6)}`, `e${dice.below(6)}`])

const shorten: Move = ({ dice, store }) =>
  compact(store, { projection: balance, stream: dice.pick(longStreams), keepEvents: 1 + dice.below(3) })

const snapshot: Move = ({ dice, store }) => saveSnapshot(store, balance, { stream: dice.pick(longStreams) })

const loadState: Move = ({ dice, store }) => load(store, balance, { stream: dice.pick(longStreams) })

const moves: ReadonlyArray<readonly [weight: number, move: Move]> = [
  [20, appendAsExpected],
  [15, appendAnyhow],
  [12, increment],
  [12, manyAtOnce],
  [8, write],
  [5, fillAndClear],
  [5, truncate],
  [2, check],
  [5, sendAgain],
  [6, readOn],
  [3, look],
  [2, shorten],
  [1, snapshot],
  [1, loadState],
  [3, ({ store }) => catchUp(store, sums)]
]

const sumOfWeights = moves.reduce((sum, [weight]) => sum + weight, 0)

/** Makes one move that the dice choose. */
export const move: Move = (client) => {
  let left = client.dice.below(sumOfWeights)
  for (const [weight, chosen] of moves) {
    left -= weight
    if (left < 0) return chosen(client)
  }
  return Effect.void
}
