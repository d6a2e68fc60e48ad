/** The PostgreSQL backend: a store in a schema, as a `Backend`. */
import type { BackendShape, StoreError } from "@persist/core"
import { Backend, Denied, isStoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import { type Changes, channelOf, makeChanges } from "./changes.ts"
import { type Config, settle } from "./config.ts"
import { classify, classifyCommit } from "./error.ts"
import { Handle, Identity } from "./handle.ts"
import { describe, openStore } from "./open.ts"
import { makeKvReads } from "./read-kv.ts"
import { makeLogReads, type Reading } from "./read.ts"
import { makeResolve } from "./resolve.ts"
import { effectsOf, verb } from "./verbs.ts"
import { Writer } from "./write.ts"

/**
 * Opens a store, creating its schema where there is none and the role may; it closes with the scope. Any number of
 * handles and processes may use it at once. Fails, and changes nothing, with `Invalid` (a configuration, or a schema
 * that holds something else), `Unavailable` (no server that will do), `Denied` (the password, the database, a right; a
 * store that was copied here from another database), `Unsupported` (PostgreSQL before 14, an encoding other than UTF-8,
 * a newer format) or `Corrupt`.
 */
export const make = (config: Config): Effect.Effect<BackendShape, StoreError, Scope> =>
  Effect.map(Effect.acquireRelease(open(config), ({ close }) => close), ({ backend }) => backend)

/** A store in a schema as the `Backend`; fails to build as {@link make} says. */
export const layer = (config: Config): Layer.Layer<Backend, StoreError> => Layer.effect(Backend, make(config))

interface Opened {
  readonly backend: BackendShape
  readonly close: Effect.Effect<void>
}

const open = (config: Config): Effect.Effect<Opened, StoreError> =>
  Effect.tryPromise({
    try: async () => {
      const handle = new Handle(settle(config))
      try {
        return await assemble(handle)
      } catch (cause) {
        await handle.close()
        throw cause
      }
    },
    catch: (cause) => isStoreError(cause) ? cause : classify("open", cause)
  })

const assemble = async (handle: Handle): Promise<Opened> => {
  const { settings } = handle
  const link = await handle.connectOnce()
  handle.adopt(link)
  const found = await openStore(link, settings)
  const identity = new Identity(found.incarnation)
  handle.settleOn(identity)
  const reading: Reading = {
    queries: handle.queries,
    identity,
    ask: (operation, job) => handle.again(operation, job)
  }
  const log = makeLogReads(reading)
  const changes = makeChanges({
    channel: channelOf(found.incarnation),
    schema: settings.quotedSchema,
    pollInterval: settings.pollInterval,
    look: log.head,
    lend: () => handle.lend(),
    use: (job) => handle.again("notify", job)
  })
  return {
    backend: {
      about: describe(link.facts, found.incarnation),
      commit: settings.readonly ? () => Effect.fail(refuseWrite()) : makeCommit(handle, identity, changes),
      resolve: verb("resolve", makeResolve(handle, identity)),
      ...effectsOf(log, makeKvReads(reading)),
      changes: changes.changes
    },
    close: Effect.promise(async () => {
      changes.close()
      await handle.close()
    })
  }
}

const makeCommit = (handle: Handle, identity: Identity, changes: Changes): BackendShape["commit"] => {
  const { lockTimeout, quotedSchema } = handle.settings
  const writer = new Writer(quotedSchema, handle.queries)
  const write = async (batch: Parameters<BackendShape["commit"]>[0]) => {
    try {
      const { floor, incarnation } = identity
      const written = await handle.write((session) =>
        writer.write(session, batch, { incarnation, floor, patience: lockTimeout })
      )
      identity.see(written.head, 0)
      if (written.changed) changes.committed(written.listened)
      return written.outcomes
    } catch (cause) {
      writer.forget()
      throw cause
    }
  }
  return (batch) =>
    Effect.tryPromise({
      try: () => write(batch),
      catch: (cause) => classifyCommit(batch.length === 1 ? batch[0].identity?.id : undefined, cause)
    })
}

const refuseWrite = (): Denied =>
  new Denied({
    operation: "commit",
    reason: "the store was opened with readonly",
    remedy: "open it without readonly to write"
  })
