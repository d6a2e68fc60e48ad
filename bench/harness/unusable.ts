/** What can't be used though somebody asked for it: its message says what it is and what to do, and nothing more. */
export class Unusable extends Error {}

/** Runs a program's work: the code to end with, 2 where something can't be used. */
export const endingWith = async (work: () => Promise<number>): Promise<number> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Unusable)) throw error
    process.stderr.write(`${error.message}\n`)
    return 2
  }
}
