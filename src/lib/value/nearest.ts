const LONGEST = 80

/** Those of the candidates that a person may have meant, the nearest first; capital letters do not matter. */
export function nearest(word: string, candidates: Iterable<string>, most = 3): readonly string[] {
  const wanted = word.toLowerCase()
  const limit = Math.max(2, Math.floor(wanted.length / 3))
  const known = [...new Set(candidates)]
    .map((candidate) => ({ candidate, steps: distance(candidate.toLowerCase(), wanted) }))
    .sort((a, b) => a.steps - b.steps)
  const closest = known[0]?.steps ?? 0
  return known
    .filter(({ steps }) => steps <= Math.min(limit, closest + 1))
    .slice(0, most)
    .map(({ candidate }) => candidate)
}

/** Levenshtein distance; only the first 80 characters count. */
function distance(left: string, right: string): number {
  const [a, b] = [left.slice(0, LONGEST), right.slice(0, LONGEST)]
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost))
    }
    row = next
  }
  return row[b.length] ?? LONGEST
}
