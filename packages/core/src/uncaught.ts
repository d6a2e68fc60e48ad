/** What a callback of somebody else's throws, kept from whoever calls it for many. */

/**
 * Throws it on, past whoever calls this: the process, or the page, is told of it as uncaught, which it was, and what is
 * left to do is done.
 */
export const throwUncaught = (thrown: unknown): void =>
  queueMicrotask(() => {
    throw thrown
  })
