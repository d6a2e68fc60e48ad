/** Tests as given, when, then: what has happened, what is asked for, and what becomes of it. No store is involved. */
import {
  type Catalogue,
  decideOn,
  type Decider,
  type Described,
  fold,
  type InputOf,
  Invalid,
  type Projection,
  type ReadModel
} from "@persist/core"
import * as Result from "effect/Result"
import { type ThenDecision, thenDecision, titleOf } from "./decision.ts"
import type { Check } from "./expectation.ts"
import { expectState, type Folding, folding } from "./folding.ts"
import { continued, decoded, defaultStream, emptyHistory, type History, movedTo } from "./history.ts"
import { readModelFolding, type StatesByKey } from "./read-model-folding.ts"

/**
 * An event that has happened: `data` follows from `type`. Without a `stream` it's of the stream `"test"`, without an
 * `at` it happened when the one before it did, the first at the beginning of 2026.
 */
export type GivenEvent<C extends Described> = InputOf<C> & { readonly stream?: string | undefined }

/** What a projection or a read model makes of what has happened. */
export interface ThenState<S, Next> {
  /** The state, for assertions of your own. */
  readonly state: S
  /**
   * Expects a state equal in content, or one that passes a check. What fails says where they differ and which event
   * made the difference.
   */
  readonly expect: (expected: S | Check<S>) => Next
}

/** What has happened, and what can be asked of it. Nothing of it changes: every call gives another one. */
export interface Given {
  /** Further events, also of other catalogues: such as older versions of the same types. Throws as {@link given}. */
  readonly and: <C extends Catalogue>(catalogue: C, ...events: ReadonlyArray<GivenEvent<NoInfer<C>>>) => Given
  /** Sets the time of what happens from here on, decisions included. Throws `Invalid` for what is no time. */
  readonly at: (time: Date | number) => Given
  /**
   * Folds a projection over all that has happened, in the total order, or over one stream; or a read model: then the
   * state is those of all keys, as they'd be stored. Events are read by the catalogue of what folds them, so old
   * versions are read as new. Throws `Corrupt` where it can't read one, and `Invalid` where the fold throws or a state
   * doesn't fit its schema.
   */
  readonly project: {
    <S, C extends Catalogue>(projection: Projection<S, C>, stream?: string): ThenState<S, Given>
    <C extends Catalogue, A>(model: ReadModel<C, A>): ThenState<StatesByKey<A>, Given>
  }
  /**
   * Asks a decider for a command on one stream: the one that's named, or the only one there is. Deciders are pure, so
   * their answer needs no store. Throws `Corrupt` and `Invalid` as `project`, `Invalid` also for a decision that
   * throws or isn't one, and where several streams have events and none is named.
   */
  readonly when: <S, C extends Catalogue, Command, E>(
    decider: Decider<S, C, Command, E>,
    command: NoInfer<Command>,
    stream?: string
  ) => ThenDecision<C, E, Given>
}

/**
 * Begins a test with what has happened, in order: `given(Account, { type: "Deposited", data: 5 }).project(balance)
 * .expect(5)`. Events are checked, written and read back by their schemas as in a store. Throws `Invalid`, naming the
 * event, for one that no store would take.
 */
export const given = <C extends Catalogue>(catalogue: C, ...events: ReadonlyArray<GivenEvent<NoInfer<C>>>): Given =>
  givenOf(emptyHistory()).and(catalogue, ...events)

const givenOf = (history: History): Given => {
  const next: Given = {
    and: (catalogue, ...events) => givenOf(continued(history, catalogue, "given event", events.map(placed))),
    at: (time) => givenOf(movedTo(history, time)),
    project: <S, C extends Catalogue, A>(what: Projection<S, C> | ReadModel<C, A>, stream?: string) =>
      "~persist/Projection" in what
        ? thenState(projectionFolding(stream === undefined ? history.events : eventsOf(history, stream), what), next)
        : thenState(modelFolding(history, what), next),
    when: (decider, command, stream) => asked(history, decider, command, stream)
  }
  return next
}

/** An event apart from its stream. */
const placed = <I extends object>(event: I & { readonly stream?: string | undefined }) => {
  const { stream = defaultStream, ...input } = event
  return { stream, input: input as unknown as I } // all but the stream, which is ours
}

const eventsOf = ({ events }: History, stream: string): History["events"] =>
  events.filter((event) => event.stream === stream)

const projectionFolding = <S, C extends Catalogue>(
  events: History["events"],
  projection: Projection<S, C>
): Folding<S> =>
  folding(`projection ${JSON.stringify(projection.name)}`, decoded(events, projection.events), {
    seed: () => fold(projection, []),
    step: (state, event) => fold(projection, [event], { state }),
    view: (state) => state
  })

const modelFolding = <C extends Catalogue, A>({ about, events }: History, model: ReadModel<C, A>) =>
  readModelFolding(model, decoded(events, model.events), about.limits.nameBytes)

const thenState = <S>(folded: Folding<S>, next: Given): ThenState<S, Given> => {
  const state = folded.last()
  return {
    state,
    expect: (expected) => {
      expectState(folded, state, expected)
      return next
    }
  }
}

const asked = <S, C extends Catalogue, Command, E>(
  history: History,
  decider: Decider<S, C, Command, E>,
  command: Command,
  named: string | undefined
): ThenDecision<C, E, Given> => {
  const stream = named ?? onlyStream(history)
  const { projection } = decider
  const state = projectionFolding(eventsOf(history, stream), projection).last()
  const decision = Result.getOrThrow(decideOn(decider, state, command))
  const appended = (what: string, inputs: ReadonlyArray<InputOf<C>>): History =>
    continued(history, projection.events, what, inputs.map((input) => ({ stream, input })))
  return thenDecision({
    decision,
    title: titleOf(decider, command, state),
    readBack: (what, inputs) => decoded(appended(what, inputs).events.slice(history.events.length), projection.events),
    next: () => givenOf(Result.isSuccess(decision) ? appended("decided event", decision.success) : history)
  })
}

const onlyStream = ({ events }: History): string => {
  const streams = new Set(events.map(({ stream }) => stream))
  const [only = defaultStream] = streams
  if (streams.size < 2) return only
  throw new Invalid({
    field: "stream",
    reason: `the events given are of ${streams.size} streams, and a decider decides on one`,
    remedy: "name it: when(decider, command, stream)"
  })
}
