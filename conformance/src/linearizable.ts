/** Whether a history of calls that overlapped could have come from one thing doing them one at a time. */

/** One call: when it began and ended by a common counter, and what came back: `undefined` where nobody knows. */
export interface Call<Op, Result> {
  readonly op: Op
  readonly result: Result | undefined
  readonly began: number
  /** `Infinity` where the reply never came: the call may take effect at any later time, or never. */
  readonly ended: number
}

/**
 * How the one thing behaves: what becomes of its state where `op` is done and gives `result`, or `undefined` where it
 * can't give that. Without a result it is done whatever it gives. `key` tells states apart.
 */
export interface Behaviour<State, Op, Result> {
  readonly initial: State
  readonly step: (state: State, op: Op, result: Result | undefined) => State | undefined
  readonly key: (state: State) => string
}

/**
 * Looks for an order of the calls in which each could have given what it gave, and which keeps every call that ended
 * before another began in front of it. A call of unknown outcome may stand anywhere after it began, or be left out.
 * Gives the calls in such an order, or `undefined` where there is none. Exponential in how many overlap: keep it small.
 */
export const linearize = <State, Op, Result>(
  calls: ReadonlyArray<Call<Op, Result>>,
  { initial, key, step }: Behaviour<State, Op, Result>
): ReadonlyArray<Call<Op, Result>> | undefined => {
  // What was tried already: which calls are done and the state they led to, whatever their order was.
  const dead = new Set<string>()
  const search = (
    state: State,
    left: ReadonlyArray<Call<Op, Result>>,
    done: ReadonlyArray<Call<Op, Result>>
  ): ReadonlyArray<Call<Op, Result>> | undefined => {
    const certain = left.filter(({ result }) => result !== undefined)
    if (certain.length === 0) return done
    const seen = `${left.map((call) => calls.indexOf(call)).join()} ${key(state)}`
    if (dead.has(seen)) return undefined
    // The next one must have begun before any of those that are left had ended.
    const soonest = Math.min(...certain.map(({ ended }) => ended))
    for (const call of left) {
      if (call.began > soonest) continue
      const next = step(state, call.op, call.result)
      const found = next === undefined
        ? undefined
        : search(next, left.filter((other) => other !== call), [...done, call])
      if (found !== undefined) return found
    }
    dead.add(seen)
    return undefined
  }
  return search(initial, calls, [])
}
