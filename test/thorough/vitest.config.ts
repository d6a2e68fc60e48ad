/** How the tests run that `npm test` leaves out: they ask more of what it asks already, and take as long again. */
import { defineConfig } from "vitest/config"
import base from "../../vitest.config.ts"

export default defineConfig({ ...base, test: { ...base.test, include: ["test/thorough/**/*.test.ts"], exclude: [] } })
