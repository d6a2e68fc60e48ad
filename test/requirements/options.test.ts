/** Every option that a read or a write takes does something: with it the answer is another than without it. */
import { open, type Store } from "persist"
import { Visitor } from "rolldown/utils"
import { describe, expect, test } from "vitest"
import { projectTree, sourceOf } from "../tidy/tree.ts"

const filled = async (): Promise<Store> => {
  const store = await open("memory:")
  const log = store.log()
  await log.append("a/1", [{ type: "A", data: 1 }, { type: "B", data: 2 }, { type: "A", data: 3 }], { expected: 0 })
  await log.append("b/1", { type: "B", data: 4 }, { expected: 0 })
  await store.kv("n").putMany([["a1", 1], ["a2", 2], ["b1", 3], ["b2", 4]])
  return store
}

type Verb = (store: Store, options: object) => Promise<unknown>

/** What the answer is without where and when it happened. */
const outcomeOf = async (answer: Promise<object>) => ({ ...await answer, position: 0, revision: 0 })

const entryAfter = async (store: Store, write: Promise<unknown>) => {
  await write
  const { meta, value } = await store.kv("n").entry("a1") ?? {}
  return { meta, value }
}

const verbs: Readonly<Record<string, { readonly verb: Verb; readonly options: Readonly<Record<string, unknown>> }>> = {
  ReadStreamOptions: {
    verb: (store, options) => store.log().read("a/1", options).toArray(),
    options: { from: 2, to: 2, limit: 1, reverse: true }
  },
  ReadAllOptions: {
    verb: (store, options) => store.log().readAll(options).toArray(),
    options: { after: 1, to: 2, prefix: "b", types: ["B"], limit: 1, reverse: true }
  },
  StreamsOptions: {
    verb: (store, options) => store.log().streams(options).toArray(),
    options: { prefix: "b", after: "a/1", limit: 1 }
  },
  ScanOptions: {
    verb: (store, options) => store.kv("n").scan(options).toArray(),
    options: { prefix: "b", gte: "a2", gt: "a1", lt: "b2", lte: "b1", limit: 1, reverse: true }
  },
  SinceOptions: {
    verb: (store, options) => store.kv("n").changedSince({ after: 0, ...options }).toArray(),
    options: { after: 6 }
  },
  PutOptions: {
    verb: (store, options) => entryAfter(store, store.kv("n").put("a1", 9, options)),
    options: { expected: "absent", meta: { by: "ada" } }
  },
  DeleteOptions: {
    verb: async (store, options) => {
      await store.kv("n").delete("a1", options)
      return store.kv("n").has("a1")
    },
    options: { expected: "absent" }
  },
  AppendOptions: {
    verb: (store, options) =>
      outcomeOf(store.log().append("a/1", { type: "C", data: 5 }, { expected: "any", ...options })),
    options: { expected: 0 }
  },
  CommitOptions: {
    verb: async (store, options) => {
      await store.kv("n").put("a1", 9, options)
      const again = await store.kv("n").put("a1", 9, options)
      const entry = await store.kv("n").entry("a1")
      return { repeated: again.repeated, at: entry?.at === 7 }
    },
    options: { id: "once", at: 7 }
  }
}

/** The properties that an interface of core declares itself. */
const declared = (name: string): ReadonlyArray<string> => {
  const tree = projectTree()
  const found: Array<string> = []
  for (const path of tree.paths) {
    if (!/^packages\/core\/src\/.*\.ts$/.test(path)) continue
    new Visitor({
      TSInterfaceDeclaration: ({ body, id }) => {
        if (id.name !== name) return
        for (const part of body.body) {
          if (part.type === "TSPropertySignature" && part.key.type === "Identifier") found.push(part.key.name)
        }
      }
    }).visit(sourceOf(path, tree).program)
  }
  return found
}

describe.each(Object.entries(verbs))("%s", (name, { options, verb }) => {
  test("has no option that isn't tried", () => {
    const names = declared(name)
    expect(names).not.toEqual([])
    expect(Object.keys(options).sort()).toEqual([...names].sort())
  })

  test.each(Object.entries(options))("%s changes the answer", async (option, value) => {
    await using without = await filled()
    await using given = await filled()
    const [plain, changed] = [await verb(without, {}), await verb(given, { [option]: value })]
    expect(timeless(changed)).not.toEqual(timeless(plain))
  })
})

test("a read that demands a position waits for it, and says so where it doesn't come", async () => {
  await using store = await open("memory:", { atLeastWithin: 0 })
  await store.kv("n").put("a", 1)
  expect(await store.kv("n").get("a", { atLeast: 1 })).toBe(1)
  await expect(store.kv("n").get("a", { atLeast: 2 })).rejects.toMatchObject({ _tag: "Unavailable" })
})

/** The same, but for the times at which the clock said it happened. */
const timeless = (answer: unknown): unknown =>
  JSON.parse(JSON.stringify(answer, (key, value: unknown) => key === "at" && typeof value === "number" ? 0 : value))
