/** A commit from what is asked for to what became of it: composed, drafted, submitted, told as its verb tells it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import type { About } from "./backend.ts"
import { newCommitId } from "./commit-id.ts"
import { inSpan, isSpanned } from "./commit-span.ts"
import type { CommitId, Committed, Conflict } from "./commit.ts"
import { type Committer, OnFlush, type Request } from "./committer.ts"
import { Draft, type Op } from "./draft.ts"
import { Invalid, type StoreError } from "./error.ts"
import { type Fault, timeFault } from "./fault.ts"
import { Posted } from "./posted.ts"

/** What a commit as a whole may be given. */
export interface CommitOptions {
  /** Makes it happen once: the same id with the same content answers the first result again. */
  readonly id?: CommitId | undefined
  /** When it happened, in milliseconds since 1970; the clock's time by default. For imports. */
  readonly at?: number | undefined
}

/** Writes what a commit is to hold into its draft; answers the fault that forbids it, if any. */
export type Compose = (draft: Draft) => Fault | undefined

/** The options that a commit knows. */
export const commitKeys = ["id", "at"]

/** A commit on its way. Every append is one: it takes as few steps of the fiber as it can, or none. */
export class Write<A> extends Posted<A, StoreError> {
  private readonly into: Into
  private readonly compose: Compose
  private readonly options: CommitOptions | undefined
  private readonly answer: (outcome: Committed | Conflict) => A

  constructor(into: Into, compose: Compose, options: CommitOptions | undefined, answer: Write<A>["answer"]) {
    super()
    this.into = into
    this.compose = compose
    this.options = options
    this.answer = answer
  }

  override asEffect(): Effect.Effect<A, StoreError> {
    const { about, committer } = this.into
    const fiber = Fiber.getCurrent()
    if (fiber === undefined) return Effect.die(new Error("an effect is evaluated in a fiber"))
    const request = drafted(about, this.compose, this.options, fiber.getRef(Clock.Clock))
    if ("_tag" in request) return Effect.fail(request)
    const onFlush = fiber.getRef(OnFlush)
    if (!isSpanned(fiber, request.commit)) return committer.submit(request, onFlush, this.answer)
    return Effect.map(
      inSpan(about, request, (carrying) => committer.submit(carrying, onFlush, identity)),
      this.answer
    )
  }

  override post(settle: (exit: Exit.Exit<A, StoreError>) => void): void {
    const { about, committer } = this.into
    let request: Request | Fault
    try {
      request = drafted(about, this.compose, this.options, defaultClock)
    } catch (defect) {
      // What the caller's options and payloads throw when they are read.
      return settle(Exit.die(defect))
    }
    if ("_tag" in request) return settle(Exit.fail(request))
    committer.post(request, this.answer, settle)
  }
}

/** Where commits go. */
interface Into {
  readonly about: About
  readonly committer: Committer
}

/** What a fiber has that was given no other. */
const defaultClock = Clock.Clock.defaultValue()

/** What is composed comes to, or why it can't be. */
export const drafted = (
  about: About,
  compose: Compose,
  options: CommitOptions | undefined,
  clock: Clock.Clock
): Request | Fault => {
  const at = options?.at
  const timed = at === undefined ? undefined : timeFault("at", at)
  if (timed !== undefined) return timed
  const now = clock.currentTimeMillisUnsafe()
  const draft = new Draft(about, at ?? now)
  const fault = compose(draft)
  if (fault !== undefined) return fault
  // Where an acknowledgement can be lost, a commit without an id could never be asked after.
  const named = about.ambiguous && !about.lacks.has("resolve")
  const finished = draft.finish(options?.id ?? (named ? newCommitId(now) : undefined), at)
  return "_tag" in finished ? finished : { commit: finished, bytes: draft.bytes }
}

/** Puts operations of a store into a draft, one after the other; the first fault ends it. */
export const composed = (about: About, ops: ReadonlyArray<Op>, draft: Draft): Fault | undefined => {
  if (ops.length === 0) {
    return new Invalid({ field: "ops", reason: "an empty commit", remedy: "pass at least one operation" })
  }
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]
    const fault = op && (strangerFault(about, op, i) ?? op["~persist/Op"](draft))
    if (fault !== undefined) return fault
  }
  return undefined
}

/** An operation of another store, where what it changes would land in this one. */
const strangerFault = ({ incarnation }: About, { "~persist/Store": own }: Op, i: number): Invalid | undefined =>
  own === undefined || own === incarnation ? undefined : new Invalid({
    field: `ops[${i}]`,
    reason: "it was made by the log or kv of another store",
    remedy: "make it with this store's own; what changes two stores can't be one commit"
  })
