/** Which of the known names someone may have meant. */

/** The known names closest to `name`, best first, at most `most`; names that have nothing in common are left out. */
export const closest = (name: string, known: Iterable<string>, most = 3): ReadonlyArray<string> => {
  const ranked: Array<{ readonly known: string; readonly distance: number }> = []
  for (const candidate of known) {
    const furthest = Math.max(name.length, candidate.length) / 2
    if (Math.abs(name.length - candidate.length) > furthest) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance <= furthest) ranked.push({ known: candidate, distance })
  }
  return ranked.sort((a, b) => a.distance - b.distance).slice(0, most).map((rank) => rank.known)
}

/** Fewest letters to insert, remove or replace to get from one string to the other. */
const editDistance = (a: string, b: string): number => {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    above = row
  }
  return above[b.length] ?? 0
}
