/** How long a fault lasts: where the passing of time is the fault itself, and nothing is waited for. */

/** Resolves after so many milliseconds. */
export const lasting = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
