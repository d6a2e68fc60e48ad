/** How tests run: from source, each file in a process of its own, on the Node the project brings along. */
import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  throw new Error(`the tests need Node 22.19 or newer, this is ${process.versions.node}: run them through npm test`)
}

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    include: ["test/**/*.test.ts"],
    // Forks rather than threads: tests load native modules, change directories and kill processes.
    pool: "forks",
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 20_000,
    hookTimeout: 20_000
  }
})
