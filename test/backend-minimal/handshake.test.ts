/** Opening six functions: whoever doesn't keep what is written is found out before anything relies on it. */
import { fromSixFunctions, type SixFunctions } from "@persist/backend-minimal"
import { Corrupt, Invalid, Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { atOnce, later } from "./functions.ts"

const opened = (functions: SixFunctions, config?: Parameters<typeof fromSixFunctions>[1]) =>
  Effect.runPromise(Effect.scoped(Effect.flip(fromSixFunctions(functions, config))))

const names = ["append", "read", "kvGet", "kvPut", "snapshotRead", "snapshotWrite"] as const

describe.each([["at once", atOnce], ["later", later]])("functions that answer %s", (_, make) => {
  it.each(names)("are refused where %s does nothing and answers nothing", async (name) => {
    const error = await opened({ ...make(), [name]: () => undefined })
    expect(error).toBeInstanceOf(Corrupt)
    expect(error.message).toMatch(/doesn't answer|no whole event/)
  })

  it.each(names)("are refused where %s answers nothing, later", async (name) => {
    expect(await opened({ ...make(), [name]: async () => undefined })).toBeInstanceOf(Corrupt)
  })

  it.each(names)("are unavailable where %s fails, with its error as the cause", async (name) => {
    const cause = new Error("no")
    const broken = () => {
      throw cause
    }
    expect(await opened({ ...make(), [name]: broken })).toMatchObject({ _tag: "Unavailable", operation: name, cause })
    const rejecting = () => Promise.reject(cause)
    expect(await opened({ ...make(), [name]: rejecting })).toMatchObject({
      _tag: "Unavailable",
      operation: name,
      cause
    })
  })
})

describe("functions are refused", () => {
  it("that do nothing at all", async () => {
    const nothing = () => undefined
    const stub = {
      append: nothing,
      read: nothing,
      kvGet: nothing,
      kvPut: nothing,
      snapshotRead: nothing,
      snapshotWrite: nothing
    }
    expect(await opened(stub)).toBeInstanceOf(Corrupt)
  })

  it.each(names)("where there is no %s", async (name) => {
    const { [name]: _, ...five } = atOnce()
    const error = await opened(five as unknown as SixFunctions) // one is missing, which the type would not allow
    expect(error).toBeInstanceOf(Invalid)
    expect(error).toMatchObject({ field: name })
  })

  it.each([
    ["a list of something else", () => ["x"]],
    ["no list", () => "events"],
    ["the last event only", (events: ReadonlyArray<unknown>) => events.slice(-1)]
  ])("whose read answers %s", async (_, change) => {
    const functions = atOnce()
    functions.append("$handshake", { stream: "$handshake", seq: 1, type: "opened", at: 0, data: "" })
    const read = (stream: string) => change(functions.read(stream) as never) as never // what no type would allow
    expect(await opened({ ...functions, read })).toBeInstanceOf(Corrupt)
  })

  it.each(["seq", "type", "at", "data", "stream"] as const)("that lose the event's %s", async (field) => {
    const functions = atOnce()
    const append: SixFunctions["append"] = (stream, event) => functions.append(stream, { ...event, [field]: undefined })
    expect(await opened({ ...functions, append })).toBeInstanceOf(Corrupt)
  })

  it("whose own key holds what was not written there", async () => {
    const functions = atOnce()
    functions.kept.keys.set("$store", "{}")
    expect(await opened(functions)).toBeInstanceOf(Corrupt)
  })

  it.each(names.filter((name) => name !== "read"))(
    "that kept everything once, and whose %s does nothing since",
    async (name) => {
      const functions = atOnce()
      await Effect.runPromise(Effect.scoped(fromSixFunctions(functions)))
      const answer = name === "kvGet" || name === "snapshotRead" ? () => null : () => undefined
      expect(await opened({ ...functions, [name]: answer })).toBeInstanceOf(Corrupt)
    }
  )

  it("that can't find the store's own key for once, and nothing is overwritten", async () => {
    const functions = atOnce()
    await Effect.runPromise(Effect.scoped(fromSixFunctions(functions)))
    const before = functions.kept.keys.get("$store")
    const error = await opened({ ...functions, kvGet: () => undefined })
    expect(error).toBeInstanceOf(Corrupt)
    expect(functions.kept.keys.get("$store")).toBe(before)
  })

  it("that a handle has open, until it is closed", async () => {
    const functions = atOnce()
    const second = Effect.scoped(Effect.flip(fromSixFunctions(functions)))
    const error = await Effect.runPromise(Effect.scoped(Effect.andThen(fromSixFunctions(functions), second)))
    expect(error).toBeInstanceOf(Unavailable)
    await Effect.runPromise(Effect.scoped(fromSixFunctions(functions)))
  })

  it.each([
    [{ durability: "certain" }, "durability"],
    [{ durable: "disk" }, "durable"],
    [{ limits: { events: 1 } }, "events"]
  ])("with the options %j", async (config, field) => {
    const error = await opened(atOnce(), config as never) // wrong on purpose
    expect(error).toBeInstanceOf(Invalid)
    expect(error).toMatchObject({ field })
  })
})
