import type { Fact } from '../../../pipeline/record/fact.ts'
import type { PageView } from '../../page-view.ts'
import { renderFact } from '../../terminal/fact-line.ts'
import { type Live, openLive } from '../../terminal/live.ts'
import { renderScreen } from '../../terminal/screen.ts'
import type { Io } from '../command.ts'

/** What `sluice up` shows while it delivers: a live screen on a terminal, a line a fact anywhere else. */
export type Progress = {
  readonly fact: (fact: Fact) => void
  readonly log: (line: string) => void
  /** Begins to draw, once there is something to see. */
  readonly draw: (view: () => PageView, title: (nowMs: number) => string) => void
  /** Ends the drawing; what comes later is printed line by line. */
  readonly end: () => void
}

/** Makes the progress of one command. */
export function openProgress(io: Io): Progress {
  const { screen } = io
  const readers = new Set<() => void>()
  let live: Live | undefined
  let isDrawn = screen !== undefined
  return {
    fact(fact) {
      const line = isDrawn ? undefined : renderFact(fact)
      if (line !== undefined) io.out(line)
      for (const changed of readers) changed()
    },
    log(line) {
      if (live !== undefined && screen?.showsErrors) live.above(line)
      else io.err(line)
    },
    draw(view, title) {
      if (screen === undefined) return
      const size = () => ({ ...screen.size(), hasColour: screen.hasColour })
      const subscribe = (changed: () => void) => {
        readers.add(changed)
        return () => void readers.delete(changed)
      }
      live = openLive(screen, () => renderScreen(view(), title(Date.now()), size()), subscribe)
    },
    end() {
      isDrawn = false
      live?.close()
      live = undefined
    },
  }
}
