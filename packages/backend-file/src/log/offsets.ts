/** Where the records of a segment are, by the number of their position within it: an array that grows. */

/** Offsets of records, one after the other. */
export class Offsets {
  private held = new Uint32Array(1024)
  length = 0

  /** Adds the next one. */
  push(offset: number): void {
    if (this.length === this.held.length) {
      const larger = new Uint32Array(this.length * 2)
      larger.set(this.held)
      this.held = larger
    }
    this.held[this.length++] = offset
  }

  /** The one at an index; 0 where there is none. */
  get(index: number): number {
    return index < this.length ? this.held[index] ?? 0 : 0
  }

  /** Keeps only the first so many. */
  cut(length: number): void {
    this.length = length
  }

  /** All of them. */
  all(): Uint32Array {
    return this.held.subarray(0, this.length)
  }
}
