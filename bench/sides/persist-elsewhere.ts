/** persist's log followed from another process. */
import type { FeedSide } from "./side.ts"
import { ended, firstWord, startProgram } from "./whole.ts"

/** Follows the store that a URL names: as a registered reader, where its process may write. */
export const followElsewhere = (url: string): Pick<Required<FeedSide>, "followElsewhere"> => ({
  followElsewhere: async (took) => {
    const child = startProgram("follower", [url])
    await firstWord(child)
    child.on("message", (millis) => took(Number(millis)))
    return async () => {
      child.kill()
      await ended(child)
    }
  }
})
