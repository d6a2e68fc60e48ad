/** A map that makes none for its first entry: most commits are of one stream or one key, and each makes such maps. */

/** Values by name. */
export class SmallMap<V> {
  private first: string | undefined
  private value: V | undefined
  private others: Map<string, V> | undefined

  /** The name's value. */
  get(name: string): V | undefined {
    return this.first === name ? this.value : this.others?.get(name)
  }

  /** Adds a value under a name that has none. */
  add(name: string, value: V): void {
    if (this.first === undefined) {
      this.first = name
      this.value = value
    } else (this.others ??= new Map()).set(name, value)
  }
}
