/** A handler that waits for the end of the run that calls it: the two would wait for each other. */
import { Invalid } from "@persist/core"
import * as Context from "effect/Context"
import * as Fiber from "effect/Fiber"

/** Stands for a run that calls handlers, whatever fibers it consists of. */
export type Run = symbol

/** The run that a fiber belongs to. */
export const OwnRun = Context.Reference<Run | undefined>("persist/OwnRun", { defaultValue: () => undefined })

/**
 * An end as it's told to whoever asks for it: to a handler that a run is calling of which `isOwn` is true, as a
 * rejection that says what to do. That can be seen only up to the handler's first `await`. Who doesn't wait for the end
 * isn't disturbed.
 */
export const endFor = (
  isOwn: (run: Run) => boolean,
  field: string,
  end: Promise<void>
): Promise<void> => {
  const caller = Fiber.getCurrent()?.getRef(OwnRun)
  if (caller === undefined || !isOwn(caller)) return end
  const refused = Promise.reject(
    new Invalid({
      field,
      reason: "a handler can't wait for the end of the run that calls it, which waits for the handler",
      remedy: "call it without waiting for it: it takes effect when the handler has ended"
    })
  )
  refused.catch(() => undefined)
  return refused
}
