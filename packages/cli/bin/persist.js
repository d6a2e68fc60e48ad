#!/usr/bin/env node
/** Starts the program: what was built of it, or in a checkout its sources, so that nothing need be built there. */
import { existsSync } from "node:fs"
import * as module from "node:module"

const [major, minor] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`error: node: this is Node ${process.versions.node}; install Node 22.19 or newer`)
  process.exit(2)
}

module.enableCompileCache()

// A published package has no tsconfig.json.
if (existsSync(new URL("../tsconfig.json", import.meta.url))) {
  module.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: ["source", ...context.conditions] })
  })
  await import("../src/bin.ts")
} else await import("../dist/bin.js")
