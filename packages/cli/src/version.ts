/** The version of this package. */
import { createRequire } from "node:module"

// The same path from the sources and from what is built of them.
const manifest: unknown = createRequire(import.meta.url)("../package.json")

/** The version as npm knows it. */
export const version = manifest !== null && typeof manifest === "object" && "version" in manifest
  ? String(manifest.version)
  : "unknown"
