import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'

/** Which part of a log. */
export type LogQuery = {
  readonly tailLines?: number
  readonly timestamps: boolean
  readonly sinceMs?: number
  readonly limitBytes?: number
}

const CHUNK = 1 << 18

/** Reads lines `TIME STREAM TAG TEXT` of a file from `offset`; a line without an end stays for the next time. */
export function readLogLines(path: string, offset: number, onLine: (line: string) => void): number {
  if (!existsSync(path)) return offset
  const file = openSync(path, 'r')
  try {
    let at = offset > statSync(path).size ? 0 : offset
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
  } finally {
    closeSync(file)
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

/** What is kept of a log now (its older file first), as `query` asks; `offset` is where following goes on. */
export function readLog(path: string, query: LogQuery): { readonly text: string; readonly offset: number } {
  const lines: string[] = []
  const keep = (line: string): void => {
    const shown = showLine(line, query)
    if (shown === undefined) return
    lines.push(shown)
    if (query.tailLines !== undefined && lines.length > query.tailLines * 2 + 1_000)
      lines.splice(0, lines.length - query.tailLines)
  }
  readLogLines(`${path}.1`, 0, keep)
  const offset = readLogLines(path, 0, keep)
  const chosen = query.tailLines === undefined ? lines : query.tailLines === 0 ? [] : lines.slice(-query.tailLines)
  const text = chosen.join('')
  return {
    text: query.limitBytes === undefined ? text : Buffer.from(text).toString('utf8', 0, query.limitBytes),
    offset,
  }
}
