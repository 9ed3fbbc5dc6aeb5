import { posix } from 'node:path'
import { parseArgs } from 'node:util'
import { diskTree } from '../../../adapters/files/disk-tree.ts'
import { blameLines, type LineAuthor } from '../../../adapters/git/blame.ts'
import { build } from '../../../lib/kustomize/build.ts'
import type { FieldOrigin, FilePlace, OriginStep } from '../../../lib/kustomize/explain/field-origin.ts'
import { findLeaves } from './blame-object.ts'
import { shownPlace } from './blame-text.ts'
import { type Command, type Io, usageError } from '../command.ts'
import { realFolder } from './real-folder.ts'

/** `sluice blame`: where a field of a built object comes from, to the line and its commit. */
export const blame: Command = {
  name: 'blame',
  summary:
    'Show where a field of a built object comes from: file, line, commit, author, and what touched it on the way',
  usage:
    'sluice blame <kind>/<name> [field.path] [DIR] [-n NAMESPACE] [--load-restrictor LoadRestrictionsRootOnly|LoadRestrictionsNone] [--json]\n       without a field: every field of the object, a line each',
  async run(argv, io) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        namespace: { type: 'string', short: 'n' },
        'load-restrictor': { type: 'string', default: 'LoadRestrictionsRootOnly' },
        json: { type: 'boolean', default: false },
      },
    })
    const restrictor = values['load-restrictor']
    if (restrictor !== 'LoadRestrictionsRootOnly' && restrictor !== 'LoadRestrictionsNone')
      return usageError(io, blame, `illegal flag value --load-restrictor ${restrictor}`)
    const asked = readWords(positionals)
    if (!asked) return usageError(io, blame, 'which object? for example deploy/web')
    const loadRestrictions = restrictor === 'LoadRestrictionsNone' ? 'none' : 'rootOnly'
    const result = build(diskTree(), realFolder(io, asked.dir), { origin: true, loadRestrictions })
    const { title, leaves } = findLeaves(result, { ...asked, namespace: values.namespace })
    const authors = await authorsOf(leaves, io.signal)
    if (values.json)
      io.out(
        JSON.stringify(
          leaves.map((leaf) => asJson(leaf, authors, io)),
          undefined,
          2,
        ),
      )
    else if (leaves.length > 1) io.out([title, ...table(leaves, authors, io)].join('\n'))
    else io.out(leaves.map((leaf) => chain(title, leaf, authors, io)).join('\n\n'))
    return 0
  },
}

type Asked = { readonly kind: string; readonly name: string; readonly field: string; readonly dir: string }

/** `kind/name [field] [DIR]`; a lone word behind the object is a folder when it looks like one. */
function readWords([object = '', ...rest]: readonly string[]): Asked | undefined {
  const slash = object.indexOf('/')
  if (slash <= 0 || slash === object.length - 1 || rest.length > 2) return undefined
  const named = { kind: object.slice(0, slash), name: object.slice(slash + 1) }
  const [first = '', second] = rest
  if (second !== undefined) return { ...named, field: first, dir: second }
  const isFolder = first === '.' || first === '..' || (first.includes('/') && !/[["\\]/.test(first))
  return isFolder ? { ...named, field: '', dir: first } : { ...named, field: first, dir: '.' }
}

/** Who wrote each line that a step names: file -> line -> author. */
type Authors = ReadonlyMap<string, ReadonlyMap<number, LineAuthor>>

async function authorsOf(leaves: readonly FieldOrigin[], signal: AbortSignal): Promise<Authors> {
  const lines = new Map<string, Set<number>>()
  for (const { steps } of leaves)
    for (const { where } of steps)
      if (where) lines.set(where.file, (lines.get(where.file) ?? new Set<number>()).add(where.line))
  const authors = new Map<string, ReadonlyMap<number, LineAuthor>>()
  for (const [file, wanted] of lines) authors.set(file, await blameLines(file, wanted, signal))
  return authors
}

function authorOf(place: FilePlace | undefined, authors: Authors): LineAuthor | undefined {
  return place && authors.get(place.file)?.get(place.line)
}

/** The last step first: it is the one to change. */
function chain(title: string, leaf: FieldOrigin, authors: Authors, io: Io): string {
  const steps = [...leaf.steps].reverse()
  const value = typeof leaf.value === 'string' ? leaf.value : JSON.stringify(leaf.value, bigText)
  const lines = steps.flatMap((step, index) => [
    `${index === 0 ? '→' : ' '} ${oneLine(step.value)}`,
    `    ${described(step, io)}`,
    ...told(authorOf(step.where, authors)).map((line) => `    ${line}`),
  ])
  return [`${title} ${leaf.path}: ${oneLine(value)}`, ...lines].join('\n')
}

function described({ by, field, where, configuredIn }: OriginStep, io: Io): string {
  const place = shownPlace(where, io.cwd)
  if (by === 'file') return `${place}  read from the file`
  const asked = configuredIn && shownPlace(configuredIn, io.cwd)
  const by2 = field === '' ? by : `${by}, ${field}`
  return `${place}  ${by2}${asked && asked !== place ? ` at ${asked}` : ''}`
}

function told(author: LineAuthor | undefined): readonly string[] {
  if (author === undefined) return []
  if (author.commit === undefined) return ['not committed yet']
  return [`${author.commit.slice(0, 12)}  ${author.author}  ${author.date}  ${author.summary}`]
}

function table(leaves: readonly FieldOrigin[], authors: Authors, io: Io): readonly string[] {
  const rows = leaves.map((leaf) => {
    const author = authorOf(leaf.where, authors)
    const who =
      author && (author.commit ? `${author.commit.slice(0, 12)} ${author.author} ${author.date}` : 'not committed yet')
    const by = leaf.steps.at(-1)?.by ?? ''
    return [leaf.path, oneLine(leaf.steps.at(-1)?.value ?? ''), shownPlace(leaf.where, io.cwd), by, who ?? '']
  })
  const widths = [120, 60, 80, 40].map((most, column) =>
    Math.max(...rows.map((row) => Math.min(row[column]?.length ?? 0, most))),
  )
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function oneLine(text: string): string {
  if (text === '') return '""'
  const [first = ''] = text.split('\n')
  return first === text && text.length <= 60 ? text : `${first.slice(0, 57)}…`
}

function bigText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

function asJson(leaf: FieldOrigin, authors: Authors, io: Io): unknown {
  const place = (at: FilePlace | undefined): unknown =>
    at && { ...at, file: posix.relative(io.cwd, at.file) || at.file }
  return {
    path: leaf.path,
    value: typeof leaf.value === 'bigint' ? Number(leaf.value) : leaf.value,
    where: place(leaf.where),
    steps: leaf.steps.map((step) => ({
      by: step.by,
      field: step.field === '' ? undefined : step.field,
      value: step.value,
      where: place(step.where),
      configuredIn: place(step.configuredIn),
      line: authorOf(step.where, authors),
    })),
  }
}
