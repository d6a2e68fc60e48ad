/** The side that a program of the bench is to open, by its arguments: the store, the side's name, and its place. */
import type { Place } from "../side.ts"
import { sides } from "../sides.ts"

const [store, name, where = ""] = process.argv.slice(2)

const entry = Object.entries(sides).find(([one]) => one === store)?.[1].find((side) => side.name === name)
if (entry === undefined) throw new Error(`there is no ${name} on ${store}`)

/** Opens the side. */
export const { open } = entry

/** Where it is. */
export const place: Place = JSON.parse(where)
