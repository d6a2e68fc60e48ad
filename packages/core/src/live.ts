/** The live version of a read model: the one that is read, while another is built beside it or waits to be dropped. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { checkpoints } from "./checkpoint.ts"
import { Invalid, type StoreError } from "./error.ts"
import type { Kv } from "./kv.ts"
import { quoted } from "./path.ts"
import type { StoreShape } from "./store.ts"

const Live = Schema.Struct({
  version: Schema.Natural,
  /** Since when, in milliseconds since 1970. */
  since: Schema.Number,
  /** Somebody chose it, and no newer version takes over by itself. */
  pinned: Schema.Boolean
})
/** Which version of a read model is live. */
export type Live = typeof Live.Type

/** The live versions, by the names of their read models. */
export const liveVersions = (store: StoreShape): Kv<Live> => store.system("$live", Live)

/** A version of a read model, as far as the choice goes. */
export interface Version {
  readonly name: string
  readonly version: number
  readonly reader: string
}

/**
 * The live version among those of a read model that a program knows, to be read or queried as ever. It is the old one
 * until the new one, built beside it, has come as far, and changes in one commit. Where nothing was ever switched it is
 * the oldest of them that was begun, else the newest. Ask again for each piece of work rather than once: the version
 * that was live before stays readable for its grace period only.
 *
 * Fails with `Invalid` where they are none or not of one name, and where the live version is not among them; and as
 * every kv read.
 */
export const live = <M extends Version>(store: StoreShape, versions: ReadonlyArray<M>): Effect.Effect<M, StoreError> =>
  Effect.suspend(() => {
    const byVersion = versions.toSorted((a, b) => a.version - b.version)
    const [first] = byVersion
    const newest = byVersion.at(-1)
    if (first === undefined || newest === undefined) return Effect.fail(noVersions)
    const other = byVersion.find(({ name }) => name !== first.name)
    if (other !== undefined) return Effect.fail(otherName(first.name, other.name))
    return Effect.flatMap(liveVersions(store).get(first.name), (found) => {
      if (Option.isNone(found)) return Effect.map(oldestBegun(store, byVersion), (begun) => begun ?? newest)
      const chosen = byVersion.find(({ version }) => version === found.value.version)
      return chosen === undefined ? Effect.fail(notAmong(first.name, found.value.version)) : Effect.succeed(chosen)
    })
  })

const oldestBegun = <M extends Version>(store: StoreShape, versions: ReadonlyArray<M>) =>
  Effect.map(
    checkpoints(store).getMany(versions.map(({ reader }) => reader)),
    (found) => versions.find((_, i) => found[i]?._tag === "Some")
  )

const noVersions = new Invalid({
  field: "versions",
  reason: "is empty",
  remedy: "pass the versions of a read model that this program knows"
})

const otherName = (name: string, other: string): Invalid =>
  new Invalid({
    field: "versions",
    reason: `${quoted(name)} and ${quoted(other)} are no versions of one read model`,
    remedy: "pass versions of one name"
  })

const notAmong = (name: string, version: number): Invalid =>
  new Invalid({
    field: "versions",
    reason: `version ${version} of ${quoted(name)} is live, and not among them`,
    remedy: "pass that version too, for as long as it may be live"
  })
