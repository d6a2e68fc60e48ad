/** Writers that contend for one stream for a while, each trying again until it wins. */

/** How many wins each of so many writers of a stream had, all at once, until so many milliseconds were over. */
export type Contend = (writers: number, millis: number, stream: string) => Promise<ReadonlyArray<number>>

/** The next turn of the event loop: where what is in the way can go on. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Makes a writer of a stream: each call tries once, and says whether it won. */
export type Writer = (stream: string) => () => Promise<boolean>

/**
 * A writer that reads its stream's last seq before it appends after it, as a command does. `append` answers nothing
 * where it won, and otherwise the last seq, from which the next try goes on.
 */
export const afterLastSeq = (
  lastSeq: (stream: string) => Promise<number> | number,
  append: (stream: string, expected: number) => Promise<number | undefined>
): Writer =>
(stream) => {
  let expected: number | undefined
  return async () => {
    expected = await append(stream, expected ?? await lastSeq(stream))
    return expected === undefined
  }
}

/** Lets writers contend. */
export const contending = (writer: Writer): Contend => async (writers, millis, stream) => {
  const until = performance.now() + millis
  const wins = async () => {
    const attempt = writer(stream)
    let won = 0
    while (performance.now() < until) if (await attempt()) won++
    return won
  }
  return await Promise.all(Array.from({ length: writers }, wins))
}

/** The part of a fair share that the writer with the fewest wins had. */
export const fewest = (wins: ReadonlyArray<number>): number => {
  const all = wins.reduce((sum, won) => sum + won, 0)
  return all === 0 ? 0 : Math.min(...wins) * wins.length / all
}
