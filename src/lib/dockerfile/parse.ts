import { SluiceError } from '../error/sluice-error.ts'
import type { Dockerfile, Heredoc, Instruction } from './instruction.ts'

const KNOWN = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
)
const WITH_FLAGS = new Set(['ADD', 'COPY', 'FROM', 'HEALTHCHECK', 'RUN'])
const WITH_HEREDOC = new Set(['ADD', 'COPY', 'RUN'])
const LIMIT_BYTES = 1024 * 1024

/**
 * Cuts a Dockerfile into instructions: comments, parser directives, continuation lines, flags, JSON forms and here documents.
 *
 * @throws SluiceError DOCKERFILE_SYNTAX with file and line
 * @see https://docs.docker.com/reference/dockerfile/
 */
export function parseDockerfile(text: string, path = 'Dockerfile'): Dockerfile {
  if (Buffer.byteLength(text) > LIMIT_BYTES) throw syntax(`the file has more than ${LIMIT_BYTES} bytes`, path, 1)
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const escape = readEscape(lines)
  const instructions: Instruction[] = []
  for (let at = 0; at < lines.length;) {
    const start = at
    const joined = joinLines(lines, at, escape)
    at = joined.next
    if (joined.text.trim() === '') continue
    const instruction = parseInstruction(joined.text.trim(), path, start + joined.skipped + 1)
    const { heredocs, next } = readHeredocs(instruction, lines, at, path)
    at = next
    instructions.push({ ...instruction, heredocs })
  }
  if (instructions.length === 0) throw syntax('the file has no instructions', path, 1)
  return { path, escape, instructions }
}

/** A fault of a Dockerfile at a line. */
export function syntax(message: string, path: string, line: number, hint?: string): SluiceError {
  return new SluiceError('DOCKERFILE_SYNTAX', message, { where: `${path}:${line}`, ...(hint ? { hint } : {}) })
}

function readEscape(lines: readonly string[]): '\\' | '`' {
  for (const line of lines) {
    const directive = /^#\s*([a-z]+)\s*=\s*(\S+)\s*$/i.exec(line)
    if (!directive) break
    if (directive[1]?.toLowerCase() === 'escape' && directive[2] === '`') return '`'
  }
  return '\\'
}

type Joined = { readonly text: string; readonly next: number; readonly skipped: number }

function joinLines(lines: readonly string[], from: number, escape: string): Joined {
  let text = ''
  let at = from
  let skipped = 0
  for (; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (/^\s*#/.test(line)) {
      if (text === '') skipped++
      continue
    }
    // An empty line inside a continuation is skipped, as docker does (with a warning).
    if (line.trim() === '') {
      if (text === '') return { text, next: at + 1, skipped }
      continue
    }
    const trimmed = line.trimEnd()
    if (!trimmed.endsWith(escape)) return { text: text + line, next: at + 1, skipped }
    text += trimmed.slice(0, -1)
  }
  return { text, next: at, skipped }
}

function parseInstruction(text: string, path: string, line: number): Instruction {
  const word = /^\S+/.exec(text)?.[0] ?? ''
  const name = word.toUpperCase()
  if (!KNOWN.has(name)) throw syntax(`unknown instruction: ${word.slice(0, 100)}`, path, line)
  const { flags, rest } = readFlags(text.slice(word.length).trim(), WITH_FLAGS.has(name))
  if (rest === '') throw syntax(`${name} requires at least one argument`, path, line)
  return { name, flags, rest, list: readList(rest), heredocs: [], line, text }
}

function readFlags(
  text: string,
  allowed: boolean,
): { readonly flags: ReadonlyMap<string, string>; readonly rest: string } {
  const flags = new Map<string, string>()
  let rest = text
  for (;;) {
    const found = allowed ? /^--([a-z][a-z-]*)(?:=("[^"]*"|\S*))?(?:\s+|$)/.exec(rest) : null
    if (!found) return { flags, rest }
    const key = found[1] ?? ''
    const value = (found[2] ?? 'true').replace(/^"(.*)"$/, '$1')
    const before = flags.get(key)
    flags.set(key, before === undefined ? value : `${before}\n${value}`)
    rest = rest.slice(found[0].length)
  }
}

/** Reads the JSON form of arguments; undefined when the text is no list of strings. */
export function readList(rest: string): string[] | undefined {
  if (!rest.startsWith('[')) return undefined
  try {
    const value: unknown = JSON.parse(rest)
    return Array.isArray(value) && value.every((each): each is string => typeof each === 'string') ? value : undefined
  } catch {
    return undefined
  }
}

function readHeredocs(
  instruction: Instruction,
  lines: readonly string[],
  from: number,
  path: string,
): { readonly heredocs: readonly Heredoc[]; readonly next: number } {
  if (!WITH_HEREDOC.has(instruction.name) || instruction.list) return { heredocs: [], next: from }
  const heredocs: Heredoc[] = []
  let at = from
  for (const found of instruction.rest.matchAll(/(?<!<)<<(-?)(["']?)([A-Za-z_][A-Za-z0-9_.]*)\2(?=\s|$)/g)) {
    const [, dash, quote, name = ''] = found
    const body: string[] = []
    for (; ; at++) {
      const line = lines[at]
      if (line === undefined) throw syntax(`here document ${name} has no end`, path, instruction.line)
      const shown = dash ? line.replace(/^\t+/, '') : line
      if (shown === name) break
      body.push(`${shown}\n`)
    }
    at++
    heredocs.push({ name, content: body.join(''), expands: quote === '' })
  }
  return { heredocs, next: at }
}
