/** A tracer that keeps the spans that have ended, for tests to look at. */
import * as Tracer from "effect/Tracer"

/** A tracer, and what it has recorded, in the order in which spans ended. */
export const recorder = () => {
  const ended: Array<Tracer.NativeSpan> = []
  class Recorded extends Tracer.NativeSpan {
    override end(...how: Parameters<Tracer.Span["end"]>) {
      super.end(...how)
      ended.push(this)
    }
  }
  return { ended, tracer: Tracer.make({ span: (options) => new Recorded(options) }) }
}
