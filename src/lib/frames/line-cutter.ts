/** Takes a text in pieces; `end` hands on what no line end followed. */
export type LineCutter = { readonly write: (text: string) => void; readonly end: () => void }

/**
 * Cuts a text that comes in pieces into its lines, without their ends.
 *
 * @param longest in characters; a longer line is handed on in pieces of at least that, so that memory stays bounded
 */
export function createLineCutter(onLine: (line: string) => void, longest = Infinity): LineCutter {
  // pieces of a line whose end was not seen yet: only what comes new is searched for it
  let rest: string[] = []
  let length = 0
  const end = (): void => {
    if (length > 0) onLine(rest.join(''))
    rest = []
    length = 0
  }
  return {
    write(text) {
      const lines = text.split('\n')
      const last = lines.pop() ?? ''
      for (const line of lines) {
        onLine(rest.length === 0 ? line : rest.join('') + line)
        rest = []
        length = 0
      }
      if (last === '') return
      rest.push(last)
      length += last.length
      if (length > longest) end()
    },
    end,
  }
}
