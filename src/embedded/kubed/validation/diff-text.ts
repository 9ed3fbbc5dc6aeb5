/** Lines around a change that are shown with it. */
const CONTEXT = 3

type Line = { readonly mark: ' ' | '-' | '+'; readonly text: string }

/** A unified diff without file names, as messages of the real server end with it. Time and memory grow with the lengths' product. */
export function unifiedDiff(before: readonly string[], after: readonly string[]): string {
  const script = scriptOf(before, after)
  const shown = new Set<number>()
  script.forEach(({ mark }, index) => {
    if (mark === ' ') return
    for (let at = index - CONTEXT; at <= index + CONTEXT; at++) if (at >= 0 && at < script.length) shown.add(at)
  })
  let [left, right, out] = [1, 1, '']
  for (let index = 0; index < script.length;) {
    const start = index
    while (shown.has(index)) index++
    const hunk = script.slice(start, index)
    const [removed, added] = [
      hunk.filter(({ mark }) => mark !== '+').length,
      hunk.filter(({ mark }) => mark !== '-').length,
    ]
    if (hunk.length > 0) {
      out += `@@ -${left},${removed} +${right},${added} @@\n`
      for (const { mark, text } of hunk) out += `${mark}${text}\n`
    }
    left += removed
    right += added
    if (hunk.length > 0) continue
    index++
    left++
    right++
  }
  return out
}

/** The shortest way from one text to the other; what goes comes before what is new. */
function scriptOf(before: readonly string[], after: readonly string[]): Line[] {
  const width = after.length + 1
  const common = new Uint32Array((before.length + 1) * width)
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      common[i * width + j] =
        before[i] === after[j]
          ? 1 + (common[(i + 1) * width + j + 1] ?? 0)
          : Math.max(common[(i + 1) * width + j] ?? 0, common[i * width + j + 1] ?? 0)
  const script: Line[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    const [old, next] = [before[i], after[j]]
    if (old !== undefined && old === next) {
      script.push({ mark: ' ', text: old })
      i++
      j++
    } else if (old !== undefined && (next === undefined || goesFirst(common, width, i, j))) {
      script.push({ mark: '-', text: old })
      i++
    } else {
      script.push({ mark: '+', text: next ?? '' })
      j++
    }
  }
  return script
}

function goesFirst(common: Uint32Array, width: number, i: number, j: number): boolean {
  return (common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0)
}
