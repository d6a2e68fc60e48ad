/** The program: its commands and the flags they share. */
import * as Command from "effect/cli/Command"
import { appendCommand } from "./commands/append.ts"
import { compactCommand } from "./commands/compact.ts"
import { conformanceCommand } from "./commands/conformance.ts"
import { diffCommand } from "./commands/diff.ts"
import { exportCommand } from "./commands/export.ts"
import { importCommand } from "./commands/import.ts"
import { initCommand } from "./commands/init.ts"
import { kvCommand } from "./commands/kv.ts"
import { projectCommand } from "./commands/project.ts"
import { projectionsCommand } from "./commands/projections.ts"
import { readCommand } from "./commands/read.ts"
import { renewCommand } from "./commands/renew.ts"
import { retainCommand } from "./commands/retain.ts"
import { runCommand } from "./commands/run.ts"
import { snapshotCommand } from "./commands/snapshot.ts"
import { statsCommand } from "./commands/stats.ts"
import { streamsCommand } from "./commands/streams.ts"
import { subscribeCommand } from "./commands/subscribe.ts"
import { tailCommand } from "./commands/tail.ts"
import { treeCommand } from "./commands/tree.ts"
import { verifyCommand } from "./commands/verify.ts"
import { Json } from "./output.ts"
import { StoreFlag } from "./store-url.ts"

/** The whole command line. */
export const persist = Command.make("persist").pipe(
  Command.withDescription("Work on a store: its log, its kv, and what is made of them"),
  Command.withSubcommands([
    initCommand,
    appendCommand,
    importCommand,
    exportCommand,
    treeCommand,
    readCommand,
    tailCommand,
    streamsCommand,
    kvCommand,
    projectCommand,
    diffCommand,
    snapshotCommand,
    subscribeCommand,
    runCommand,
    projectionsCommand,
    compactCommand,
    retainCommand,
    verifyCommand,
    statsCommand,
    renewCommand,
    conformanceCommand
  ]),
  Command.withGlobalFlags([StoreFlag, Json])
)
