/** The terminal that a command may draw on. */
export type Screen = {
  readonly write: (text: string) => void
  readonly size: () => { readonly columns: number; readonly rows: number }
  readonly onResize: (resized: () => void) => () => void
  /** Whether what goes to stderr appears on it, too. */
  readonly showsErrors: boolean
  readonly hasColour: boolean
}

/** A block of lines at the end of a terminal that is drawn again and again. */
export type Live = {
  /** Writes lasting text above the block. */
  readonly above: (text: string) => void
  readonly close: () => void
}

const REDRAW_MS = 80
const TICK_MS = 1000

// https://invisible-island.net/xterm/ctlseqs/ctlseqs.html: erase below, cursor, wrapping of long lines.
const ERASE_BELOW = '\r\u001b[J'
const HIDE = '\u001b[?25l\u001b[?7l'
const SHOW = '\u001b[?7h\u001b[?25h'

/**
 * Draws `render()` at the end of the terminal after each change, at most about twelve times a second, and once a second for what time alone
 * changes; takes it away at `close`.
 *
 * @param subscribe calls back at every change; answers how to stop that
 */
export function openLive(
  screen: Screen,
  render: () => readonly string[],
  subscribe: (changed: () => void) => () => void,
): Live {
  let drawn = 0
  let pending: NodeJS.Timeout | undefined
  const erase = (): string => `${drawn > 1 ? `\u001b[${drawn - 1}A` : ''}${ERASE_BELOW}`
  const draw = (above: string): void => {
    clearTimeout(pending)
    pending = undefined
    const lines = render()
    screen.write(`${HIDE}${erase()}${above}${lines.join('\r\n')}${SHOW}`)
    drawn = lines.length
  }
  const soon = (): void => {
    pending ??= setTimeout(() => draw(''), REDRAW_MS)
  }
  // A terminal that got narrower has wrapped what was drawn: start on a clean page.
  const resized = (): void => {
    screen.write('\u001b[H\u001b[2J')
    drawn = 0
    soon()
  }
  const stops = [subscribe(soon), screen.onResize(resized)]
  const tick = setInterval(soon, TICK_MS)
  draw('')
  return {
    above: (text) => draw(`${text.replaceAll('\n', '\r\n')}\r\n`),
    close() {
      for (const stop of stops) stop()
      clearInterval(tick)
      clearTimeout(pending)
      screen.write(erase())
    },
  }
}
