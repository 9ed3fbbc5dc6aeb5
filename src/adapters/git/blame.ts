import { posix } from 'node:path'
import { runGit } from './git-process.ts'

/** Who wrote a line last. */
export type LineAuthor = {
  /** Undefined for a line that is not committed yet. */
  readonly commit: string | undefined
  readonly author: string
  /** When it was written, as `2026-11-26`. */
  readonly date: string
  /** First line of the commit message. */
  readonly summary: string
}

const NOT_COMMITTED = /^0+$/

/**
 * Who wrote some lines of a file of a work tree last, by line number.
 *
 * Empty when the file is in no repository, or git will not read it. Configured programs (textconv) are not run.
 */
export async function blameLines(
  file: string,
  lines: Iterable<number>,
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, LineAuthor>> {
  const ranges = [...new Set(lines)].flatMap((line) => ['-L', `${line},${line}`])
  if (ranges.length === 0) return new Map()
  const argv = ['blame', '--no-textconv', '--line-porcelain', ...ranges, '--', posix.basename(file)]
  try {
    const { code, stdout } = await runGit(posix.dirname(file), argv, signal ? { signal } : {})
    return code === 0 ? parseBlame(stdout.toString('utf8')) : new Map()
  } catch {
    // no git at hand, or the folder is gone: the answer is that nobody is known
    return new Map()
  }
}

/** Reads `git blame --line-porcelain`: a head line with the commit and line numbers, fields, then the line behind a tab. */
function parseBlame(text: string): ReadonlyMap<number, LineAuthor> {
  const authors = new Map<number, LineAuthor>()
  let head: { readonly commit: string; readonly line: number } | undefined
  let fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const start = /^([0-9a-f]{40,64}) \d+ (\d+)/.exec(line)
    if (start && !head) head = { commit: start[1] ?? '', line: Number(start[2]) }
    else if (line.startsWith('\t') && head) {
      authors.set(head.line, authorOf(head.commit, fields))
      head = undefined
      fields = new Map()
    } else {
      const space = line.indexOf(' ')
      if (space > 0) fields.set(line.slice(0, space), line.slice(space + 1))
    }
  }
  return authors
}

function authorOf(commit: string, fields: ReadonlyMap<string, string>): LineAuthor {
  const seconds = Number(fields.get('author-time') ?? 0)
  return {
    commit: NOT_COMMITTED.test(commit) ? undefined : commit,
    author: NOT_COMMITTED.test(commit) ? '' : (fields.get('author') ?? ''),
    date: new Date(seconds * 1000).toISOString().slice(0, 10),
    summary: NOT_COMMITTED.test(commit) ? '' : (fields.get('summary') ?? ''),
  }
}
