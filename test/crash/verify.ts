/** Whether a store has kept its word: everything that a journal was told, against what is there. */
import { type BackendShape, type Commit, makeStore, type StoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { differences } from "./contents.ts"
import { derivedBreaches } from "./derived.ts"
import type { Journal, Known, SeenPage } from "./journal.ts"
import { Replay } from "./replay.ts"

/** A journal with what follows from it, from one look at the store to the next. */
export class Verifier {
  readonly replay = new Replay()
  private readonly journal: Journal
  private readonly done = new Set<Known>()
  /** How often the store was looked at, and how many pages that readers were given were compared with it. */
  looks = 0
  pages = 0

  constructor(journal: Journal) {
    this.journal = journal
  }

  /**
   * Looks at a store that nobody writes to. What is unknown is resolved first, and is known from then on. Whatever is
   * wrong stands in the journal afterwards.
   */
  look(backend: BackendShape): Effect.Effect<void, StoreError> {
    return Effect.gen({ self: this }, function*() {
      const { journal, replay } = this
      this.looks++
      yield* this.resolve(backend)
      this.advance()
      for (const { kind, what } of yield* differences(backend, replay)) journal.report(kind, what)
      this.pages += journal.pages.length
      for (const page of journal.pages) this.comparePage(page)
      journal.pages = []
      this.compareEntries()
      const derived = yield* Effect.result(
        Effect.flatMap(makeStore(backend), (store) => derivedBreaches(store, replay))
      )
      if (Result.isFailure(derived)) journal.report("derived", derived.failure.message)
      else for (const { kind, what } of derived.success) journal.report(kind, what)
    }).pipe(Effect.scoped)
  }

  // Those that are known are asked after as well, until they have been replayed: the answer must be the same.
  private resolve(backend: BackendShape): Effect.Effect<void, StoreError> {
    const asked = [...this.journal.commits.values()].filter((known) => !this.done.has(known))
    return Effect.forEach(
      asked,
      ({ id }) => Effect.map(backend.resolve(id), (found) => this.journal.resolved(id, Option.getOrUndefined(found))),
      {
        discard: true
      }
    )
  }

  private advance(): void {
    const happened = [...this.journal.commits.values()].flatMap((known) => {
      if (this.done.has(known)) return []
      this.done.add(known)
      const { commit, committed, id } = known
      return committed === undefined ? [] : [{ id, commit, committed }]
    })
    const inOrder = happened.sort((a, b) =>
      a.committed.position - b.committed.position || Number(takesNone(a.commit)) - Number(takesNone(b.commit))
    )
    for (const { commit, committed, id } of inOrder) {
      // One that only checks takes no position, and changes nothing.
      if (this.replay.span(commit) === 0) continue
      const wrong = this.replay.apply(id, commit, committed)
      if (wrong !== undefined) this.journal.report(wrong.kind, wrong.what)
    }
  }

  private comparePage({ after, events, through }: SeenPage): void {
    const { journal, replay } = this
    for (const seen of events) {
      const [position, stream, seq, digest] = seen
      const there = replay.seen.get(position)
      if (there === undefined) journal.report("lost", `a reader was given ${stream} ${seq} at ${position}`)
      else if (there[1] !== stream || there[2] !== seq || there[3] !== digest) {
        journal.report(
          "reissued",
          `a reader was given ${stream} ${seq} at ${position}, where ${there[1]} ${there[2]} is`
        )
      }
    }
    const given = new Set(events.map(([position]) => position))
    for (const { position, seq, stream } of replay.history) {
      if (position <= after || position > through || given.has(position)) continue
      if (seq < (replay.streams.get(stream)?.first ?? 1)) continue
      journal.report("hidden", `${stream} ${seq} at ${position} wasn't in a page from ${after} to ${through}`)
    }
  }

  private compareEntries(): void {
    for (const seen of this.journal.entries) {
      const [namespace, key, revision, digest] = seen
      const value = this.replay.values.get(JSON.stringify([namespace, key, revision]))
      if (value === undefined) this.journal.report("lost", `a reader was given ${namespace}/${key} at ${revision}`)
      else if (value[3] !== digest) {
        this.journal.report("altered", `${namespace}/${key} at ${revision} was read otherwise`)
      }
    }
    this.journal.entries = []
  }
}

// Whether a commit may have taken no position: then it has that of the one before it.
const takesNone = ({ append, truncate, write }: Commit): boolean =>
  append.length + truncate.length === 0 && write.every(({ _tag }) => _tag === "Clear")
