/** Group commit by hand: whoever comes while a group is on its way goes with the next. */
/** Hands over calls in groups; each answers when its group is durable. */
export const grouped = <Call, Answer>(
  flush: (calls: ReadonlyArray<Call>) => Promise<ReadonlyArray<Answer>> | ReadonlyArray<Answer>
): (call: Call) => Promise<Answer> => {
  interface Waiting {
    readonly call: Call
    readonly resolve: (answer: Answer) => void
    readonly reject: (error: unknown) => void
  }
  let waiting: Array<Waiting> = []
  let running = false
  const run = async () => {
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      try {
        const answers = await flush(group.map(({ call }) => call))
        group.forEach(({ resolve }, i) => resolve(answers[i] as Answer)) // As many as there were calls.
      } catch (error) {
        group.forEach(({ reject }) => reject(error))
      }
    }
    running = false
  }
  return (call) =>
    new Promise((resolve, reject) => {
      waiting.push({ call, resolve, reject })
      if (running) return
      running = true
      // What is called in the same turn goes together.
      queueMicrotask(() => void run())
    })
}
