/** Text from outside (a commit's message, a log) as it may go to a terminal: control characters, which could move its cursor, become `?`. */
export function cleanText(text: string): string {
  return text
    .replaceAll('\t', ' ')
    .replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?')
}

/** As {@link cleanText}, for a cell that may be coloured. */
export function cleanCell(text: string): string {
  return text
    .split(COLOUR)
    .map((part, at) => (at % 2 === 0 ? cleanText(part) : part))
    .join('')
}

/**
 * Many lines from outside as they may go to a terminal: all but colours, tabs and ends of lines becomes `?`. A carriage return ends a line, too:
 * what follows it would be written over what stands there.
 */
export function cleanLines(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(CONTROLS, (found) => (found.length > 1 ? found : '?'))
}

const COLOUR = /(\u001b\[[0-9;]*m)/
const CONTROLS =
  /\u001b\[[0-9;]*m|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

// What terminals draw over two columns: East Asian wide and full-width characters, and emoji.
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const NONE = /[\p{Mn}\p{Me}\p{Cf}]/u

/** How many columns a clean text takes on a terminal. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

/** A clean text cut to at most `columns`, with `…` where something is missing. */
export function fitText(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let width = 0
  let kept = ''
  for (const character of text) {
    width += columnsOf(character)
    if (width > columns - 1) break
    kept += character
  }
  return columns < 1 ? '' : `${kept}…`
}

/** A clean text in lines of at most `columns`; none where there is no room for a character. */
export function wrapText(text: string, columns: number): readonly string[] {
  if (columns < 2) return []
  const lines: string[] = []
  let line = ''
  let width = 0
  for (const character of text) {
    const columnsTaken = columnsOf(character)
    if (width + columnsTaken > columns) {
      lines.push(line)
      line = ''
      width = 0
    }
    line += character
    width += columnsTaken
  }
  return line === '' ? lines : [...lines, line]
}

function columnsOf(character: string): number {
  if (NONE.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}
