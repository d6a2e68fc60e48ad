/** `persist stats`: how much there is in a store, and what the store is. */
import { listReaders, type StoreShape } from "@persist/core"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Json, writeResult } from "../output.ts"
import { counted, grouped, printable, sized } from "../printable.ts"
import { positions, startProgress } from "../progress.ts"
import { fileBytes, openStore, shownUrl, storeUrl } from "../store-url.ts"

const config = {
  types: Flag.Boolean("types").pipe(
    Flag.withDescription("Count the events of each type too, which reads them all"),
    Flag.withDefault(false)
  )
}

const run = Effect.fnUntraced(function*({ types }: Command.Command.Config.Infer<typeof config>) {
  const store = yield* openStore("read")
  const { about: { durability, incarnation, name: backend } } = store
  const head = yield* store.head
  const log = yield* Stream.runFold(
    store.log().streams(),
    () => ({ streams: 0, events: 0 }),
    (sum, { first, last }) => ({
      streams: sum.streams + 1,
      events: sum.events + last - first + 1
    })
  )
  const namespaces = yield* Stream.runCollect(store.namespaces())
  const keys = namespaces.reduce((sum, each) => sum + each.keys, 0)
  const readers = yield* listReaders(store)
  const eventTypes = types ? yield* countTypes(store, yield* Json) : undefined
  const bytes = fileBytes(yield* storeUrl)
  const url = yield* shownUrl
  yield* writeResult(
    {
      store: url,
      backend,
      durability,
      incarnation,
      head,
      ...log,
      keys,
      namespaces: namespaces.map((each) => ({ ...each })),
      readers: readers.map(({ lag, name, position }) => ({ name, position, lag: lag ?? null })),
      ...(bytes === undefined ? {} : { bytes }),
      ...(eventTypes === undefined ? {} : { types: Object.fromEntries(eventTypes) })
    },
    [
      `store        ${printable(url)}${bytes === undefined ? "" : `, ${sized(bytes)}`}`,
      `backend      ${backend}, durability ${durability}, incarnation ${incarnation}`,
      `head         position ${grouped(head)}`,
      `events       ${grouped(log.events)} in ${counted(log.streams, "stream")}`,
      ...(eventTypes ?? []).map(([type, count]) => `  ${grouped(count).padStart(11)}  ${printable(type)}`),
      `keys         ${grouped(keys)} in ${counted(namespaces.length, "namespace")}`,
      ...namespaces.map((each) => `  ${grouped(each.keys).padStart(11)}  ${printable(each.namespace)}`),
      `readers      ${readers.length}`,
      ...readers.map(({ lag, name, position }) =>
        printable(
          `  at position ${position}, ${
            lag === undefined ? "stale" : lag === 0 ? "up to date" : `${grouped(lag)} behind`
          }  ${name}`
        )
      )
    ]
  )
}, Effect.scoped)

const countTypes = Effect.fnUntraced(function*(store: StoreShape, json: boolean) {
  const counts = new Map<string, number>()
  const head = yield* store.head
  const progress = startProgress({ verb: "counted", noun: "event", whole: positions(head), json })
  let events = 0
  yield* store.log().readAll({ to: head }).pipe(
    Stream.runForEachArray((page) =>
      Effect.sync(() => {
        for (const { type } of page) counts.set(type, (counts.get(type) ?? 0) + 1)
        events += page.length
        progress.update({ amount: page.at(-1)?.position ?? head, things: events })
      })
    ),
    Effect.ensuring(Effect.sync(() => progress.clear()))
  )
  return [...counts].sort(([, a], [, b]) => b - a)
})

/** The command. */
export const statsCommand = Command.make("stats", config, run).pipe(
  Command.withDescription("Tell what a store is, and how many events, streams, keys and readers it has"),
  Command.withShortDescription("Tell what a store is and holds"),
  Command.withExamples([
    { command: "persist stats --store sqlite:app.db", description: "At a glance" },
    { command: "persist stats --types --json", description: "With the count of every event type, as JSON" }
  ])
)
