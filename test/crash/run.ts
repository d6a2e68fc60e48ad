/** One randomized run: a store, writers to whom things happen, readers beside them, and looks at what is left. */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { cpSync } from "node:fs"
import { openUrl } from "persist/effect"
import type { Breach } from "./breach.ts"
import type { ReaderCommand } from "./child/reader.ts"
import type { WriterCommand } from "./child/writer.ts"
import { type Dice, makeDice } from "./dice.ts"
import { describeFate, Doom, drawFate, type Fate } from "./fate.ts"
import { Journal } from "./journal.ts"
import type { Message } from "./message.ts"
import { type End, start } from "./running.ts"
import { newDirectory, type Place, type Target } from "./target.ts"
import { befall, noTrouble } from "./trouble.ts"
import { Verifier } from "./verify.ts"

/** What a run is made of. */
export interface RunOptions {
  readonly target: Target
  readonly seed: string
  /** Where the shim is; without one writers are only stopped and killed. */
  readonly library: string | undefined
  /** How many generations of writers. */
  readonly rounds: number
  /** How they are wrong on purpose. */
  readonly bug?: WriterCommand["bug"]
  /** Told of what is done, as it is done. */
  readonly onStep?: (step: string) => void
}

/** What a run came to. */
export interface RunFigures {
  readonly acknowledged: number
  /** Commits of which the store alone knew what became of them. */
  readonly unknown: number
  readonly kills: number
  /** Injected faults by name. */
  readonly injected: ReadonlyMap<string, number>
  /** How often the store was compared with all that is known of it. */
  readonly looks: number
  readonly pages: number
  readonly breaches: ReadonlyArray<Breach>
}

/** What the parts of a run share. */
interface Course {
  readonly options: RunOptions
  readonly place: Place
  readonly dice: Dice
  readonly journal: Journal
  readonly verifier: Verifier
  readonly injected: Map<string, number>
  unknown: number
  kills: number
}

// What a store says of the tails that it cuts is expected here.
const quiet = Logger.layer([])

/** Runs until the last round, or the first breach. */
export const run = (options: RunOptions): Effect.Effect<RunFigures, unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const journal = new Journal()
    const course: Course = {
      options,
      place: yield* options.target.place,
      dice: makeDice(options.seed),
      journal,
      verifier: new Verifier(journal),
      injected: new Map(),
      unknown: 0,
      kills: 0
    }
    const readers = course.dice.percent(50) ? yield* startReader(course) : undefined
    for (let round = 0; round < options.rounds && journal.breaches.length === 0; round++) {
      yield* generation(course, round, readers)
    }
    yield* readers?.stop ?? Effect.void
    // Once more where it is, and once more after that was closed: looking must change nothing.
    for (let n = 0; n < 2; n++) yield* look(course, course.place.url)
    return figuresOf(course)
  })).pipe(Effect.provide(quiet))

const figuresOf = ({ injected, journal, kills, unknown, verifier }: Course): RunFigures => ({
  acknowledged: [...journal.commits.values()].filter(({ acknowledged }) => acknowledged).length,
  unknown,
  kills,
  injected,
  looks: verifier.looks,
  pages: verifier.pages,
  breaches: journal.breaches
})

const generation = Effect.fnUntraced(function*(course: Course, round: number, readers: Readers | undefined) {
  const { dice, injected, journal, options: { library, target }, place } = course
  const writers = dice.percent(50) ? 1 : target.writers
  const fates = Array.from(
    { length: writers },
    () => drawFate(dice, library !== undefined && place.files !== undefined)
  )
  course.options.onStep?.(`round ${round}: ${fates.map(describeFate).join(" | ")}`)
  const troubles = place.troubled === undefined
    ? noTrouble
    : yield* befall(place.troubled, dice.fork(`troubles of ${round}`), (what) => count(injected, what))
  const onMessage = (message: Message) => {
    if (message._tag === "Opened") readers?.begin()
    troubles.onMessage()
  }
  const ends = yield* Effect.forEach(
    fates,
    (fate, n) => Effect.scoped(live(course, `w${round}${"abcdef"[n]}`, fate, onMessage)),
    { concurrency: "unbounded" }
  )
  for (const end of ends) complain(journal, end)
  yield* troubles.over
  course.unknown += journal.undecided().length
  yield* lookSomewhere(course, readers === undefined)
}, Effect.scoped)

const count = (into: Map<string, number>, name: string): void => {
  into.set(name, (into.get(name) ?? 0) + 1)
}

/** One writer, from its start to its end. */
const live = Effect.fnUntraced(function*(
  course: Course,
  name: string,
  fate: Fate,
  onMessage: (message: Message) => void
) {
  const { dice, injected, journal, options: { bug, library, seed }, place: { files, url } } = course
  const doom = new Doom(fate)
  const clients = 1 + dice.below(5)
  const command: WriterCommand = { url, name, seed, clients, moves: Number.MAX_SAFE_INTEGER, bug }
  const child = yield* start("writer.ts", command, {
    onMessage: (message, hold) => {
      journal.hear(name, message)
      onMessage(message)
      doom.onMessage(message, hold)
    },
    watch: library === undefined || files === undefined
      ? undefined
      : { library, directory: files.directory, onCall: (call) => doom.onCall(call) }
  })
  const end = yield* child.ended
  journal.gone(name)
  for (const what of doom.injected) count(injected, what)
  if (end.signal === "SIGKILL") course.kills++
  return end
})

const complain = (journal: Journal, { code, complaints, signal }: End): void => {
  if (signal === "SIGKILL" || code === 0) return
  journal.report("fault", `a child ended with ${signal ?? code}: ${complaints}`)
}

interface Readers {
  /** Lets it open the store, which is there from now on. */
  readonly begin: () => void
  readonly stop: Effect.Effect<void>
}

const startReader = Effect.fnUntraced(function*({ journal, options: { seed }, place }: Course) {
  const command: ReaderCommand = { url: place.readUrl, seed }
  const child = yield* start("reader.ts", command, {
    onMessage: (message) => journal.hear("reader", message),
    held: true
  })
  let begun = false
  const readers: Readers = {
    begin: () => {
      if (!begun) child.nudge()
      begun = true
    },
    stop: Effect.suspend(() => {
      if (begun) child.nudge()
      else child.kill()
      return Effect.map(child.ended, (end) => complain(journal, end))
    })
  }
  return readers
})

/**
 * Looks at the store where it is, or at a copy, so that the next writers find it as the last ones left it. A copy is
 * what the next ones would find only where nobody else has the store open, who would keep them from recovering it.
 */
const lookSomewhere = (course: Course, isAlone: boolean): Effect.Effect<void> => {
  const { dice, place: { files, url } } = course
  const where = dice.below(3)
  if (where === 0) return Effect.void
  if (where === 1 || files === undefined || !isAlone) return look(course, url)
  return Effect.scoped(Effect.gen(function*() {
    const copy = yield* newDirectory
    cpSync(files.directory, copy, { recursive: true })
    yield* look(course, files.urlIn(copy))
  }))
}

const look = ({ journal, verifier }: Course, url: string): Effect.Effect<void> =>
  Effect.catch(
    Effect.scoped(Effect.flatMap(openUrl(url), (backend) => verifier.look(backend))),
    ({ _tag, message }) => Effect.sync(() => journal.report("fault", `it can't be looked at: ${_tag}: ${message}`))
  )
