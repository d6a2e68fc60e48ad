/** Commits that are sent again together with others, while other handles write. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import { type BackendShape, type Commit, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { schemaIn, sharedPostgres } from "../servers/postgres.ts"

const commitOf = (id: string, expected: number | undefined, more: Partial<Commit> = {}): Commit => ({
  identity: { id, digest: `digest of ${id}` },
  at: 0,
  expect: expected === undefined ? [] : [{ _tag: "Stream", stream: "s", expected: Seq(expected) }],
  append: [{ stream: "s", events: [{ type: "T", at: 0, data: "1", meta: undefined, id: undefined }] }],
  write: [],
  truncate: [],
  ...more
})

const twoHandles = Effect.gen(function*() {
  const { url } = yield* sharedPostgres
  const schema = yield* schemaIn(url)
  return [yield* make({ url, schema }), yield* make({ url, schema })] as const
})

const told = (backend: BackendShape, first: Commit, ...rest: ReadonlyArray<Commit>) =>
  Effect.map(
    backend.commit([first, ...rest]),
    (outcomes) =>
      outcomes.map((one) => one._tag === "Committed" ? `${one.position}${one.repeated ? " again" : ""}` : one._tag)
  )

describe("a commit that is sent again", () => {
  it.live("gives its first result behind one that conflicts, whoever has written since", () =>
    Effect.gen(function*() {
      const [one, other] = yield* twoHandles
      const first = commitOf("first", 0)
      assert.deepStrictEqual(yield* told(one, first), ["1"])
      assert.deepStrictEqual(yield* told(other, commitOf("second", 1)), ["2"])
      // What the two expect of the stream can't both be so; neither is.
      assert.deepStrictEqual(yield* told(one, commitOf("late", 1), first), ["Conflict", "1 again"])
      assert.deepStrictEqual(yield* told(one, first, commitOf("late", 1)), ["1 again", "Conflict"])
      const write = [{ _tag: "Put", namespace: "n", key: "k", value: "1", meta: undefined }] as const
      assert.deepStrictEqual(yield* told(one, commitOf("late", 1, { write }), first), ["Conflict", "1 again"])
      assert.deepStrictEqual(yield* told(one, commitOf("late", 1), commitOf("third", undefined), first), [
        "Conflict",
        "3",
        "1 again"
      ])
    }))
})
