/** What the library logs, as talk on stderr: one line each, since stdout is for data. */
import * as Cause from "effect/Cause"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { sayNow } from "./output.ts"
import { printable } from "./printable.ts"

const logger = Logger.make<unknown, void>(({ cause, fiber, logLevel, message }) => {
  const why = cause.reasons.length === 0 ? [] : [Cause.squash(cause)]
  const parts = [...Array.isArray(message) ? message : [message], ...why].map(textOf)
  const annotations = Object.entries(fiber.getRef(References.CurrentLogAnnotations))
  const details = annotations.map(([name, value]) => `${name}: ${textOf(value)}`)
  const level = logLevel === "Warn" ? "warning" : logLevel.toLowerCase()
  sayNow(printable(`${level}: ${[...parts, ...details].join("; ")}`))
})

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : value instanceof Error ? value.message : JSON.stringify(value) ?? String(value)

/** Sends logs to stderr. */
export const layerTalk = Logger.layer([logger])
