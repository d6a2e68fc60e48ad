/** Which of a module's exports are processors to run. */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished, test } from "vitest"
import { loadProcessors, loadReadModels } from "../../packages/cli/src/processor-module.ts"
import { root } from "./program.ts"

const of = (path: string) => JSON.stringify(join(root, path))

const models = `
import { Catalogue, ReadModel, Schema } from ${of("packages/persist/src/index.ts")}
import { readModel } from ${of("packages/persist/src/processors.ts")}

const events = Catalogue.make({ Paid: Schema.Struct({ to: Schema.String }) }, { unknown: "skip" })
const make = (name: string) =>
  ReadModel.make({
    name,
    version: 1,
    events,
    keys: ({ data }) => data.to,
    seed: 0,
    step: (n: number) => n + 1,
    value: Schema.Number
  })
`

const moduleOf = (exports: string): string => {
  const directory = mkdtempSync(join(tmpdir(), "persist-module-"))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, "models.ts")
  writeFileSync(file, models + exports)
  return file
}

test("those in arrays, and each once, however often it's exported", async ({ expect }) => {
  const file = moduleOf(`
    export const [a, b, c] = ["a", "b", "c"].map(make)
    export const some = [b, c, readModel(make("d"))]
    export default a`)
  const names = (await Effect.runPromise(loadProcessors([file]))).map(({ name }) => name)
  expect(names.sort()).toEqual(["a@1", "b@1", "c@1", "d@1"])
})

test("a read model exported beside the processor that keeps it is kept as that says", async ({ expect }) => {
  const file = moduleOf(`
    export const model = make("a")
    export const kept = readModel(model, { grace: 5 })`)
  expect(await Effect.runPromise(loadReadModels([file]))).toMatchObject([{ name: "a", options: { grace: 5 } }])
  expect(await Effect.runPromise(loadProcessors([file]))).toHaveLength(1)
})
