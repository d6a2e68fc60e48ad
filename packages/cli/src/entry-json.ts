/** An entry of the kv as JSON and as a row for people. */
import type { AnyValue, Entry } from "@persist/core"
import { timeText } from "persist/effect"
import { dataJson } from "./event-line.ts"
import { printable } from "./printable.ts"

/** An entry as JSON; bytes are `value_base64`. */
export const entryJson = (
  namespace: string,
  { at, key, meta, revision, value }: Entry<AnyValue>
): { readonly [name: string]: unknown } => ({
  namespace,
  key,
  ...dataJson("value", value),
  revision,
  at: timeText(at),
  ...(meta === undefined ? {} : { meta })
})

/** An entry on one line. */
export const entryRow = ({ at, key, meta, revision, value }: Entry<AnyValue>): string => {
  const shown = value instanceof Uint8Array ? `base64:${Buffer.from(value).toString("base64")}` : JSON.stringify(value)
  const more = meta === undefined ? "" : ` meta ${JSON.stringify(meta)}`
  return printable(`${key}  revision ${revision}  ${timeText(at)}  ${shown}${more}`)
}
