/** Waiting for what a program brings about: asked again and again until it's so. */

/** Asks until the answer is as it should be, and gives it. */
export const until = async <A>(ask: () => Promise<A>, there: (answer: A) => boolean): Promise<A> => {
  for (;;) {
    const found = await ask()
    if (there(found)) return found
  }
}
