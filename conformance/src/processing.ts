/** What the laws of processors go through, so that a mutant can replace one function and leave the rest right. */
import { makeStore } from "@persist/core"
import * as Runner from "@persist/runner"

/** The functions that run processors, make them, and speak of them; and the one that makes their stores. */
export interface Processing {
  readonly makeStore: typeof makeStore
  readonly run: typeof Runner.run
  readonly subscription: typeof Runner.subscription
  readonly readModel: typeof Runner.readModel
  readonly reaction: typeof Runner.reaction
  readonly workflow: typeof Runner.workflow
  readonly whenProcessed: typeof Runner.whenProcessed
  readonly health: typeof Runner.health
  readonly pause: typeof Runner.pause
  readonly resume: typeof Runner.resume
  readonly listParked: typeof Runner.listParked
  readonly retryParked: typeof Runner.retryParked
  readonly dropParked: typeof Runner.dropParked
  readonly forget: typeof Runner.forget
}

/** Processors as they are. */
export const processing: Processing = { ...Runner, makeStore }
