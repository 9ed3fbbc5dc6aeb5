import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLive, type Screen } from './live.ts'

/** What a terminal shows of what was written: enough of one to see whether a block is taken away whole. */
function shown(written: string): string[] {
  const lines = ['']
  let row = 0
  for (const [part = '', up] of written.matchAll(
    /\u001b\[(\d+)A|\u001b\[J|\u001b\[\?\d+[lh]|\r\n|\r|[^\r\n\u001b]+/g,
  )) {
    if (up !== undefined) row -= Number(up)
    else if (part === '\u001b[J') lines.splice(row, lines.length, '')
    else if (part === '\r\n') lines[++row] ??= ''
    else if (part !== '\r' && !part.startsWith('\u001b')) lines[row] += part
  }
  return lines
}

test('a live block is redrawn in its place, logs go above it, and nothing is left of it', () => {
  let written = ''
  let block = ['one', 'two']
  const screen: Screen = {
    write: (text) => void (written += text),
    size: () => ({ columns: 80, rows: 24 }),
    onResize: () => () => undefined,
    showsErrors: true,
    hasColour: false,
  }
  const live = openLive(
    screen,
    () => block,
    () => () => undefined,
  )
  assert.deepEqual(shown(written), ['one', 'two'])
  block = ['three']
  live.above('a log\nof two lines')
  assert.deepEqual(shown(written), ['a log', 'of two lines', 'three'])
  block = ['four', 'five', 'six']
  live.above('another')
  live.close()
  assert.deepEqual(shown(written), ['a log', 'of two lines', 'another', ''])
})
