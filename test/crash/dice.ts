/** Numbers that look random and are the same for the same seed. */
import { hash } from "node:crypto"

/** Throws that depend on a seed alone, and on how many came before. */
export interface Dice {
  /** A whole number from 0, below `n`. */
  readonly below: (n: number) => number
  /** One of them. */
  readonly pick: <A>(of: readonly [A, ...ReadonlyArray<A>]) => A
  /** True in so many of a hundred throws. */
  readonly percent: (n: number) => boolean
  /** Further dice, for whoever throws on its own. */
  readonly fork: (name: string) => Dice
}

/** Makes dice of a seed: the nth throw is the hash of the seed and n. */
export const makeDice = (seed: string): Dice => {
  let thrown = 0
  const next = () => hash("sha256", `${seed}#${thrown++}`, "buffer").readUIntBE(0, 6) / 2 ** 48
  const below = (n: number) => Math.floor(next() * n)
  return {
    below,
    pick: (of) => of[below(of.length)] ?? of[0],
    percent: (n) => next() * 100 < n,
    fork: (name) => makeDice(`${seed}/${name}`)
  }
}
