/** A text without the characters of `cut` at its start and at its end. */
export function trimOf(text: string, cut: string): string {
  let start = 0
  while (start < text.length && cut.includes(text.charAt(start))) start++
  return trimEndOf(text.slice(start), cut)
}

/** A text without the characters of `cut` at its end. An expression such as `/ +$/` would look at each run of them anew from each of its characters. */
export function trimEndOf(text: string, cut: string): string {
  let end = text.length
  while (end > 0 && cut.includes(text.charAt(end - 1))) end--
  return text.slice(0, end)
}
