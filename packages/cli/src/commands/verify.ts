/** `persist verify`: reads everything, and says what can't be. */
import type { StoreError } from "@persist/core"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { exitCode } from "../exit-code.ts"
import { Failure } from "../failure.ts"
import { Json, say, writeResult } from "../output.ts"
import { counted, lasting, printable } from "../printable.ts"
import { positions, startProgress } from "../progress.ts"
import { openStore } from "../store-url.ts"
import { type FilesLooked, verifyStoredFiles } from "../verify/files.ts"
import { Findings } from "../verify/finding.ts"
import { verifyKv } from "../verify/kv.ts"
import { verifyLog } from "../verify/log.ts"

const run = Effect.fnUntraced(function*() {
  const findings = new Findings()
  const started = performance.now()
  const stopped = Effect.suspend(() => say(whereItStopped(findings)))
  const { damaged, json, lines } = yield* Effect.onInterrupt(verifyStoredFiles(findings), () => stopped)
  const { head, unread } = yield* Effect.onInterrupt(verifyAnswers(findings), () => stopped)
  const { counts, kept, total } = findings
  const milliseconds = Math.round(performance.now() - started)
  const looked = [
    counted(counts.events, "event"),
    counted(counts.streams, "stream"),
    counted(counts.keys, "key"),
    counted(counts.snapshots, "snapshot"),
    counted(counts.readers, "reader")
  ]
  yield* writeResult(
    { sound: total === 0, head: head ?? null, ...counts, ...json, findings: kept, found: total, milliseconds },
    [
      ...kept.map(({ what, where }) => printable(`${where}: ${what}`)),
      ...lines.map(printable),
      ...unread === undefined ? [] : [printable(`not everything could be asked of the store: ${unread}`)],
      `${total === 0 ? "sound" : counted(total, "finding")}: ${looked.join(", ")} in ${lasting(milliseconds)}`
    ]
  )
  if (total > 0) {
    return yield* new Failure({
      exitCode: exitCode.failed,
      field: "store",
      reason: `verification has ${counted(total, "finding")}`,
      remedy: remedy(head === undefined ? undefined : damaged),
      details: { tag: "Unsound", found: total }
    })
  }
}, Effect.scoped)

const whereItStopped = ({ counts, total }: Findings): string =>
  `stopped after ${counted(counts.events, "event")}, with ${counted(total, "finding")}: ` +
  "the same command begins anew"

const remedy = (damaged: FilesLooked["damaged"]): string =>
  damaged === undefined
    ? "do what the findings say, or restore it from a backup"
    : "restore it from a backup, or export what can be read: " +
      `persist export - --to ${damaged.first - 1}, and persist export - --after ${damaged.last}`

// What the store answers, as far as it does: what it can't answer is a finding, and the rest is asked for all the same.
// Where its files are damaged, they say why.
const verifyAnswers = Effect.fnUntraced(function*(findings: Findings) {
  const damaged = findings.total > 0
  let unread: string | undefined
  const passing = <E extends { readonly message: string }>(error: E): Effect.Effect<undefined, E> => {
    if (!damaged) return Effect.fail(error)
    unread ??= error.message
    return Effect.undefined
  }
  const noting = <A, R>(verifying: Effect.Effect<A, StoreError, R>) =>
    verifying.pipe(
      Effect.catchTag("Corrupt", ({ reason, where }) => Effect.sync(() => findings.add(where, reason))),
      Effect.catch(passing)
    )
  const store = yield* Effect.catch(openStore("read"), passing)
  const head = store === undefined ? undefined : yield* Effect.catch(store.head, passing)
  if (store === undefined || head === undefined) return { head, unread }
  const progress = startProgress({ verb: "verified", noun: "event", whole: positions(head), json: yield* Json })
  yield* noting(verifyLog(store, head, findings, progress)).pipe(
    Effect.andThen(noting(verifyKv(store, head, findings))),
    Effect.ensuring(Effect.sync(() => progress.clear()))
  )
  return { head, unread }
})

/** The command. */
export const verifyCommand = Command.make("verify", {}, run).pipe(
  Command.withDescription(
    "Read everything and check it: positions rise, seqs have no holes, every stream says the same by itself as " +
      "among all, payloads parse, keys are in order, revisions differ, snapshots and checkpoints belong to this " +
      "store. Of a file: store every byte of every file is checked first, and damage is named by file, byte and " +
      "position. " +
      "Ends with exit code 1 where something doesn't hold. Nothing is changed; other processes may go on writing."
  ),
  Command.withShortDescription("Check that everything in the store holds"),
  Command.withExamples([{ command: "persist verify --store sqlite:backup.db", description: "Check a backup" }])
)
