/** An event as a row for people: where it stands, when it was, what it says. */
import type { Event } from "@persist/core"
import { timeText } from "persist/effect"
import { dataJson } from "./event-line.ts"
import { printable } from "./printable.ts"

/** Writes an event on one line. */
export const eventRow = ({ at, data, id, meta, position, seq, stream, type }: Event<string, unknown>): string => {
  const [shown] = Object.values(dataJson("data", data))
  const content = data instanceof Uint8Array ? `base64:${String(shown)}` : JSON.stringify(data)
  const more = [meta === undefined ? "" : ` meta ${JSON.stringify(meta)}`, id === undefined ? "" : ` id ${id}`].join("")
  return printable(`${position}  ${timeText(at)}  ${stream}@${seq}  ${type}  ${content}${more}`)
}
