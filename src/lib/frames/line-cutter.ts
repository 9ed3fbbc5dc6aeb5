/** Takes a text in pieces; `end` hands on what no line end followed. */
export type LineCutter = { readonly write: (text: string) => void; readonly end: () => void }

/**
 * Cuts a text that comes in pieces into its lines, without their ends.
 *
 * @param longest in characters; a longer line is handed on in pieces of at least that, so that memory stays bounded
 */
export function createLineCutter(onLine: (line: string) => void, longest = Infinity): LineCutter {
  let rest = ''
  const end = (): void => {
    if (rest !== '') onLine(rest)
    rest = ''
  }
  return {
    write(text) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
      if (rest.length > longest) end()
    },
    end,
  }
}
