/** How tests run: from source, each file in a process of its own, on the Node the project brings along. */
import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  throw new Error(`the tests need Node 22.19 or newer, this is ${process.versions.node}: run them through npm test`)
}

// The longest files on a machine with two cores. One that begins as the last would keep all others waiting for it.
const longest = [
  "backend-postgres/conformance",
  "docs/examples",
  "backend-postgres/lost-replies",
  "backend-sqlite/conformance",
  "conformance/store-mutants",
  "cli/import",
  "crash/run",
  "runner/processes",
  "conformance/store-oddballs",
  "bench/workloads"
].map((name) => `/test/${name}.test.ts`)

const rank = ({ moduleId }: { readonly moduleId: string }): number => {
  const at = longest.findIndex((path) => moduleId.endsWith(path))
  return at === -1 ? longest.length : at
}

class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/thorough/**"],
    sequence: { sequencer: LongestFirst },
    // Forks rather than threads: tests load native modules, change directories and kill processes.
    pool: "forks",
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 20_000,
    hookTimeout: 20_000
  }
})
