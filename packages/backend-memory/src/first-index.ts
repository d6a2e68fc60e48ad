/** Binary search. */

/** Index of the first item that something is true of, where it's true of all that follow; the length for none. */
export const firstIndex = <A>(items: ReadonlyArray<A>, isTrue: (item: A) => boolean): number => {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const item = items[middle]
    if (item !== undefined && isTrue(item)) high = middle
    else low = middle + 1
  }
  return low
}
