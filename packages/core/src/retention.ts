/** Retention: streams made shorter by a rule, bounded by whoever has yet to read, archived first if that's wanted. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type Archive, type Claim, claimArchive } from "./archive.ts"
import { awaitedByStream } from "./awaited.ts"
import type { Op } from "./draft.ts"
import { Invalid, type StoreError } from "./error.ts"
import * as Fault from "./fault.ts"
import { readersByStream } from "./reader.ts"
import { sameRegistrations } from "./registration.ts"
import { cutOf, type RetentionCut } from "./retention-cut.ts"
import { type RetentionRule, ruleFault, ruleKeys } from "./retention-rule.ts"
import { finishStep, type Part, stepsOf } from "./retention-step.ts"
import { restingSnapshots } from "./snapshot-rests.ts"
import type { StoreShape } from "./store.ts"

/** A rule, where to put what it removes, and who is told. */
export interface RetainOptions<E = never, R = never> extends RetentionRule {
  /** Where events go before they are removed; nowhere by default: then they are lost. */
  readonly archive?: Archive<E, R> | undefined
  /** Told after each step: the streams that are done with since the last time, and the figures so far. */
  readonly each?: ((cuts: ReadonlyArray<RetentionCut>, soFar: Retained) => Effect.Effect<void, E, R>) | undefined
}

/** What a run of retention did. */
export interface Retained {
  /** Streams that were shortened. */
  readonly streams: number
  /** Events that were removed. */
  readonly events: number
  /** Events that the rule lets go and that stayed, since somebody needs them. */
  readonly held: number
}

/**
 * Tells what `retain` with this rule would do now, stream by stream in the order of their names, and changes nothing.
 * Streams that the rule takes nothing of are left out. Fails with `Invalid` for a bad rule, `Corrupt` where a reader
 * belongs to another history, `Unsupported` where the backend can't truncate; otherwise as every read.
 */
export const planRetention = (store: StoreShape, rule: RetentionRule): Stream.Stream<RetentionCut, StoreError> => {
  const fault = ruleFault(rule, ruleKeys) ?? lackFault(store)
  if (fault !== undefined) return Stream.fail(fault)
  return Stream.unwrap(
    Effect.map(
      Clock.currentTimeMillis,
      (now) =>
        Stream.paginate<string | undefined, RetentionCut, StoreError>(
          undefined,
          (after) =>
            Effect.map(planPage(store, rule, now, after), ({ cuts, next }) => [cuts, Option.fromUndefinedOr(next)])
        )
    )
  )
}

/**
 * Removes what a rule lets go, step by step: a step is some streams, or a part of a long one, whose events are first
 * given to the archive and then removed in one commit. Never an event that a registered reader has yet to read, one
 * that a processor has parked, nor one that a snapshot of a stream, a prefix or all streams still needs; a reader that
 * is registered while it runs is asked as well. Streams keep their numbering, whatever goes. An interruption waits for
 * the step in hand; whatever ends it, the next run goes on, and every event is in the store or in the archive, once.
 *
 * Fails with `Invalid` for a bad rule, `Corrupt` where a reader belongs to another history of the store, `Unavailable`
 * where another run has taken the archive over, `Unsupported` where the backend can't truncate, as the archive does,
 * and as every read and commit; steps before that are done.
 */
export const retain = <E = never, R = never>(
  store: StoreShape,
  options: RetainOptions<E, R>
): Effect.Effect<Retained, StoreError | E, R> =>
  Effect.suspend(() => {
    const fault = ruleFault(options, [...ruleKeys, "archive", "each"]) ?? archiveFault(options.archive) ??
      lackFault(store)
    return fault === undefined ? new Run(store, options).all : Effect.fail(fault)
  })

const archiveFault = (archive: Partial<Archive<unknown, unknown>> | undefined): Fault.Fault | undefined =>
  archive === undefined || (typeof archive?.keep === "function" && typeof archive.discard === "function")
    ? undefined
    : new Invalid({
      field: "archive",
      reason: "is no archive",
      remedy: "pass { keep, discard }, or leave it out to keep nothing"
    })

const lackFault = ({ about }: StoreShape): Fault.Fault | undefined => {
  const lacking = (["truncate", "atomic", "streams", "scan"] as const).find((ability) => about.lacks.has(ability))
  return lacking === undefined ? undefined : Fault.lackFault(about.name, lacking)
}

/** How many streams are looked at together: their cuts are what a run holds in memory. */
const streamsAtOnce = 256

interface PlannedPage {
  readonly cuts: ReadonlyArray<RetentionCut>
  /** Makes a commit a `Conflict` where a reader was registered since the plan was made. */
  readonly registrations: Op
  /** The name to go on after; `undefined` at the end. */
  readonly next: string | undefined
}

const planPage = Effect.fnUntraced(function*(
  store: StoreShape,
  rule: RetentionRule,
  now: number,
  after: string | undefined
): Effect.fn.Return<PlannedPage, StoreError> {
  const { engine } = store
  const registrations = yield* sameRegistrations(store)
  const range = { prefix: rule.prefix, after, limit: streamsAtOnce }
  const infos = yield* engine.reading(undefined, engine.backend.streams(range))
  const shears = {
    engine,
    rule,
    now,
    readersFor: yield* readersByStream(store),
    awaitedIn: yield* awaitedByStream(store),
    restsOn: yield* restingSnapshots(store)
  }
  const cuts = yield* Effect.forEach(infos, (info) => cutOf(shears, info), { concurrency: 16 })
  return {
    cuts: cuts.filter((cut) => cut !== undefined),
    registrations,
    next: infos.length < streamsAtOnce ? undefined : infos.at(-1)?.stream
  }
})

/** A run of retention under way. */
class Run<E, R> {
  private readonly store: StoreShape
  private readonly options: RetainOptions<E, R>
  private soFar: Retained = { streams: 0, events: 0, held: 0 }
  private claim: Claim | undefined
  /** The stream of which a part was removed last. */
  private last: string | undefined

  constructor(store: StoreShape, options: RetainOptions<E, R>) {
    this.store = store
    this.options = options
  }

  /** Goes through all streams. */
  readonly all: Effect.Effect<Retained, StoreError | E, R> = Effect.suspend(() =>
    Effect.onExit(this.pages, (exit) =>
      // What failed may have happened: then the step is left as it is.
      Exit.isSuccess(exit) || Exit.hasInterrupts(exit) ? this.leave : Effect.void)
  )

  private readonly pages = Effect.gen({ self: this }, function*(): Effect.fn.Return<Retained, StoreError | E, R> {
    const now = yield* Clock.currentTimeMillis
    let after: string | undefined
    while (true) {
      const page: PlannedPage = yield* planPage(this.store, this.options, now, after)
      const planned = yield* this.take(page)
      if (!planned) continue
      if (page.next === undefined) return this.soFar
      after = page.next
    }
  })

  /** Takes the steps of a page; answers whether all went as planned. */
  private readonly take = Effect.fnUntraced({ self: this }, function*(
    { cuts, registrations }: PlannedPage
  ): Effect.fn.Return<boolean, StoreError | E, R> {
    for (const parts of stepsOf(cuts, this.store.about)) {
      const happened = yield* Effect.uninterruptible(this.step(parts, registrations))
      if (!happened) return false
      yield* Effect.void
    }
    return true
  })

  private readonly step = Effect.fnUntraced({ self: this }, function*(
    parts: ReadonlyArray<Part>,
    registrations: Op
  ): Effect.fn.Return<boolean, StoreError | E, R> {
    const { archive, each } = this.options
    if (parts.some(({ end, from }) => end > from)) {
      if (archive !== undefined) this.claim ??= yield* this.begin(archive)
      const to = archive === undefined || this.claim === undefined ? undefined : { archive, claim: this.claim }
      if (!(yield* finishStep(this.store, parts, registrations, to))) return false
    }
    const whole = parts.filter(({ cut, end }) => end === cut.first).map(({ cut }) => cut)
    this.count(parts, whole)
    if (each !== undefined) yield* each(whole, this.soFar)
    return true
  })

  private readonly begin = Effect.fnUntraced({ self: this }, function*(
    archive: Archive<E, R>
  ): Effect.fn.Return<Claim, StoreError | E, R> {
    const claim = yield* claimArchive(this.store)
    // Of runs that broke off before their events were removed: those are in the store, and come again.
    for (const step of claim.void) yield* archive.discard(step)
    return claim
  })

  private readonly leave = Effect.suspend((): Effect.Effect<void, StoreError | E, R> => {
    const { claim, options: { archive } } = this
    if (claim === undefined || archive === undefined) return Effect.void
    // A step may have been archived and then found to be nobody's to remove any more.
    return Effect.andThen(archive.discard(claim.step), Effect.asVoid(claim.release))
  })

  private count(parts: ReadonlyArray<Part>, whole: ReadonlyArray<RetentionCut>): void {
    let { events, held, streams } = this.soFar
    for (const { cut: { stream }, end, from } of parts) {
      if (end === from) continue
      if (stream !== this.last) streams++
      this.last = stream
      events += end - from
    }
    for (const cut of whole) held += cut.held
    this.soFar = { streams, events, held }
  }
}
