import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { hasCode } from '../../../lib/error/code-of.ts'

/** Which part of a log. */
export type LogQuery = {
  readonly tailLines?: number
  readonly timestamps: boolean
  readonly sinceMs?: number
  readonly limitBytes?: number
}

const CHUNK = 1 << 18

/** How far a log was read: which file, and to where in it. */
export type LogPosition = { readonly file: string | undefined; readonly offset: number }

/** Nothing is read yet. */
const START: LogPosition = { file: undefined, offset: 0 }

/**
 * Reads lines `TIME STREAM TAG TEXT` of a log from a position on; a line without an end stays for the next time. Where the log was begun anew since, what
 * was left of the former file comes first; of one that was begun anew twice the former file is all there is.
 */
export function readOn(path: string, from: LogPosition, onLine: (line: string) => void): LogPosition {
  const current = openIfThere(path)
  if (current === undefined) return from
  try {
    const file = nameOf(current)
    if (file === from.file) return { file, offset: readFrom(current, from.offset, onLine) }
    const former = openIfThere(`${path}.1`)
    if (former !== undefined)
      try {
        // begun anew just now: both are the one that is read next
        const name = nameOf(former)
        if (name !== file) readFrom(former, name === from.file ? from.offset : 0, onLine)
      } finally {
        closeSync(former)
      }
    return { file, offset: readFrom(current, 0, onLine) }
  } finally {
    closeSync(current)
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    // begun anew just now, or gone with its pod
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** The number of a removed file is soon that of another one; the time of its birth is not. */
function nameOf(file: number): string {
  const { ino, birthtimeMs } = fstatSync(file)
  return `${ino} ${birthtimeMs}`
}

function readFrom(file: number, offset: number, onLine: (line: string) => void): number {
  let at = offset > fstatSync(file).size ? 0 : offset
  const buffer = Buffer.alloc(CHUNK)
  let rest = Buffer.alloc(0)
  for (;;) {
    const count = readSync(file, buffer, 0, CHUNK, at + rest.length)
    if (count === 0) return at
    let text = Buffer.concat([rest, buffer.subarray(0, count)])
    for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10)) {
      onLine(text.toString('utf8', 0, end))
      at += end + 1
      text = text.subarray(end + 1)
    }
    rest = Buffer.from(text)
  }
}

/** What a kept line shows; undefined when it is before `sinceMs`. */
export function showLine(line: string, { timestamps, sinceMs }: LogQuery): string | undefined {
  const match = /^(\S+) (?:stdout|stderr) ([FP]) (.*)$/s.exec(line)
  if (match === null) return undefined
  const [, at = '', tag, text = ''] = match
  if (sinceMs !== undefined && Date.parse(at.replace(/(\.\d{3})\d*Z$/, '$1Z')) < sinceMs) return undefined
  return `${timestamps ? `${at} ` : ''}${text}${tag === 'F' ? '\n' : ''}`
}

/** What is kept of a log now (its older file first), as `query` asks; `position` is where following goes on. */
export function readLog(path: string, query: LogQuery): { readonly text: string; readonly position: LogPosition } {
  const lines: string[] = []
  const keep = (line: string): void => {
    const shown = showLine(line, query)
    if (shown === undefined) return
    lines.push(shown)
    if (query.tailLines !== undefined && lines.length > query.tailLines * 2 + 1_000)
      lines.splice(0, lines.length - query.tailLines)
  }
  const position = readOn(path, START, keep)
  const chosen = query.tailLines === undefined ? lines : query.tailLines === 0 ? [] : lines.slice(-query.tailLines)
  const text = chosen.join('')
  return {
    text: query.limitBytes === undefined ? text : Buffer.from(text).toString('utf8', 0, query.limitBytes),
    position,
  }
}
