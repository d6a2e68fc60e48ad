/** What a piece of a test throws. */

/** The error that something throws; throws where it throws none. */
export const failureOf = (act: () => unknown): Error => {
  try {
    act()
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error("nothing was thrown")
}
