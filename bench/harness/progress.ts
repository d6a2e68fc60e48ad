/** How far a run has come, and about how long it takes yet. */

const minutes = (millis: number): string =>
  millis < 90_000 ? `${Math.ceil(millis / 1000)} s` : `${Math.round(millis / 60_000)} min`

/** Says before each of `all` steps which it is, and how long the rest takes if it goes on like this. */
export const makeProgress = (all: number): () => string => {
  const from = performance.now()
  let done = 0
  return () => {
    const left = done === 0 ? "" : `, about ${minutes((performance.now() - from) / done * (all - done))} left`
    return `[${++done}/${all}${left}]`
  }
}
