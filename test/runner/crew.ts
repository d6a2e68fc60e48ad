/** Runners in processes of their own, and what can be done to one of them. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { type Child, startChild } from "../backend-sqlite/child.ts"
import { type Proxy, startProxy } from "../servers/proxy.ts"

/** What can happen to a runner. */
export type Blow = "killed" | "stopped" | "left" | "cut off"

/** A runner. */
export interface Mate {
  /** Ends it, at once or as somebody who stops the program, and starts it again in a version of its read model. */
  readonly end: (how: "killed" | "left", version: number) => Effect.Effect<void, never, Scope>
  /** It can't go on, or reaches nobody, until `wake`. */
  readonly numb: (how: "stopped" | "cut off") => Effect.Effect<void>
  readonly wake: Effect.Effect<void>
}

/** How runners are started. */
export interface CrewOptions {
  /** A store that several processes may write. */
  readonly url: string
  readonly partitions: number
  readonly patience: number
  /** Where handlers without a transaction tell what they were given. */
  readonly seen: string
}

/** What can happen to runners of a store: a network is needed to be cut off. */
export const blowsOn = (url: string): readonly [Blow, ...ReadonlyArray<Blow>] =>
  url.startsWith("postgres") ? ["killed", "stopped", "left", "cut off"] : ["killed", "stopped", "left"]

/** Starts a runner, which reaches a server by a network of its own. */
export const startMate = Effect.fnUntraced(function*(
  label: string,
  { partitions, patience, seen, url }: CrewOptions
): Effect.fn.Return<Mate, never, Scope> {
  const network: Proxy | undefined = url.startsWith("postgres")
    ? yield* startProxy(Number(new URL(url).port))
    : undefined
  const start = Effect.fnUntraced(function*(version: number) {
    const child: Child = yield* startChild("../../runner/child/runner.ts", [
      network === undefined ? url : network.through(url),
      label,
      String(partitions),
      String(patience),
      seen,
      String(version)
    ])
    yield* child.line
    yield* child.go
    return child
  })
  let child = yield* start(1)
  const signal = (name: NodeJS.Signals) => Effect.sync(() => process.kill(child.pid, name))
  return {
    end: Effect.fnUntraced(function*(how, version) {
      yield* how === "killed" ? child.kill : Effect.andThen(signal("SIGTERM"), child.ended)
      child = yield* start(version)
    }),
    numb: (how) => how === "stopped" ? signal("SIGSTOP") : network === undefined ? Effect.void : network.hold,
    wake: Effect.andThen(signal("SIGCONT"), network === undefined ? Effect.void : network.heal)
  }
})
