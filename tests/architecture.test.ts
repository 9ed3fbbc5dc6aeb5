import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'
import { ERROR_CODES } from '../src/lib/error/codes.ts'
import { FINDING_CODES } from '../src/lib/kustomize/findings.ts'

/** The rooms from top to bottom; an import may only point to a later line, or stay in its own room. Rooms of one line do not know each other. */
const FLOORS = [
  ['main'],
  ['app'],
  ['agents', 'embedded'],
  ['adapters'],
  ['machine'],
  ['controllers'],
  ['engine'],
  ['pipeline'],
  ['kinds'],
  ['lib'],
]

/** Embedded servers meet our clients only on the wire; what both ask of the machine knows nothing of our field. */
const FORBIDDEN: Record<string, readonly string[]> = {
  embedded: ['adapters', 'agents', 'controllers', 'engine', 'pipeline'],
  machine: ['controllers', 'engine', 'pipeline', 'kinds'],
}

const PURE = new Set(['lib', 'kinds', 'pipeline', 'controllers'])

/** What a pure room may use of Node: computation only. */
const PURE_NODE = new Set([
  'node:crypto',
  'node:zlib',
  'node:util',
  'node:path',
  'node:path/posix',
  'node:buffer',
  'node:url',
  'node:string_decoder',
])

/** Every npm package that the product may import, with the ADR that lets it in. */
const PACKAGES: Record<string, string> = {
  libsql: 'docs/adr/0003-state-in-libsql.md',
  '@actions/workflow-parser': 'docs/adr/0005-githubs-own-parser.md',
  '@actions/expressions': 'docs/adr/0005-githubs-own-parser.md',
  '@marcbachmann/cel-js': 'docs/adr/0006-cel.md',
  'age-encryption': 'docs/adr/0057-sops-inside.md',
}

const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
  'dependencies' | 'devDependencies',
  Record<string, string>
>

const KUBED = 'src/embedded/kubed'

type Source = { readonly path: string; readonly room: string; readonly tree: ts.SourceFile }

const sources: readonly Source[] = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
  .map((entry) => {
    const path = join(entry.parentPath, entry.name)
    return {
      path,
      room: roomOf(path),
      tree: ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true),
    }
  })

/** What each file needs to be loaded or typed; what it loads later is none of it. */
const imports = new Map(sources.map((source) => [source.path, neighboursOf(source)]))

test('imports point down only', () => {
  const wrong = sources.flatMap((source) => importsOf(source).flatMap((specifier) => checkDirection(source, specifier)))
  assert.deepEqual(wrong, [])
})

test('files do not import each other in a loop', () => {
  assert.deepEqual(loopsOf(imports), [])
})

test('what stands side by side in a folder, rooms and files, is not imported in a loop', () => {
  const folders = new Set([...imports.keys()].flatMap(foldersAbove))
  const wrong = [...folders].flatMap((folder) => loopsOf(amongChildren(folder)).map((child) => join(folder, child)))
  assert.deepEqual(wrong, [])
})

test('the rooms of kubed stand in the order in which ARCHITECTURE.md lists them', () => {
  const block = /^kubed, .*:\n\n```\n([^`]*)```$/m.exec(readFileSync('ARCHITECTURE.md', 'utf8'))?.[1] ?? ''
  const order = [...block.matchAll(/^([a-z]+(?:\/|\.ts))/gm)].map(([, name = '']) => name.replace('/', ''))
  const among = amongChildren(KUBED)
  assert.deepEqual([...order].sort(), [...among.keys()].sort())
  const wrong = [...among].flatMap(([room, targets]) =>
    [...new Set(targets)]
      .filter((target) => order.indexOf(target) < order.indexOf(room))
      .map((target) => `${room} -> ${target}`),
  )
  assert.deepEqual(wrong, [])
})

test('pure rooms touch no clock, disk, network, environment or randomness', () => {
  const wrong = sources
    .filter((source) => PURE.has(source.room))
    .flatMap((source) => [...impureImports(source), ...impureNames(source)])
  assert.deepEqual(wrong, [])
})

test('a time that somebody wrote meets no timer that cannot wait for it', () => {
  const setters = sources.filter(({ tree }) => tree.text.includes('AbortSignal.timeout('))
  assert.deepEqual(
    setters.map(({ path }) => path),
    ['src/machine/timers.ts'],
  )
})

test('every npm package has its ADR', () => {
  const wrong = sources.flatMap((source) =>
    importsOf(source)
      .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
      .map((specifier) => packageOf(specifier))
      .filter((name) => PACKAGES[name] === undefined)
      .map((name) => `${source.path} imports ${name}`),
  )
  assert.deepEqual(wrong, [])
  for (const adr of new Set(Object.values(PACKAGES))) assert.ok(readFileSync(adr, 'utf8').length > 0, adr)
})

test('what is imported from npm, by tests and benches too, is named in package.json', () => {
  const wrong = ['src', 'tests', 'bench', 'scripts']
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
    .filter((path) => /\.(ts|mjs)$/.test(path))
    .flatMap((path) =>
      importsIn(ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest))
        .filter((specifier) => !/^(\.|\/|node:|kustomize$)/.test(specifier))
        .filter((specifier) => !(packageOf(specifier) in { ...dependencies, ...devDependencies }))
        .map((specifier) => `${path} imports ${specifier}`),
    )
  assert.deepEqual(wrong, [])
})

test('dependencies are pinned to exact versions', () => {
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
  )
  assert.deepEqual(loose, [])
})

test('every code of an error or warning is used', () => {
  const used = new Set(sources.flatMap(({ tree }) => tree.text.match(/(?<=')[A-Z0-9_]+(?=')/g) ?? []))
  const codes = Object.keys({ ...ERROR_CODES, ...FINDING_CODES })
  assert.deepEqual(
    codes.filter((code) => !used.has(code)),
    [],
  )
})

test('a file stays below 400 lines', () => {
  const long = sources.filter((source) => source.tree.getLineAndCharacterOfPosition(source.tree.end).line > 400)
  assert.deepEqual(
    long.map((source) => source.path),
    [],
  )
})

test('a folder holds no more than 20 files besides tests', () => {
  const sizes = new Map<string, number>()
  for (const { path } of sources) sizes.set(dirname(path), (sizes.get(dirname(path)) ?? 0) + 1)
  assert.deepEqual(
    [...sizes].filter(([, size]) => size > 20),
    [],
  )
})

test('a function stays below 60 lines', () => {
  assert.deepEqual(sources.flatMap(longFunctions), [])
})

test('no file is called utils or index', () => {
  assert.deepEqual(
    sources.map((source) => source.path).filter((path) => /\/(utils|helpers|misc|index)\.ts$/.test(path)),
    [],
  )
})

function roomOf(path: string): string {
  const room = path.split('/')[1] ?? ''
  return room === 'main.ts' ? 'main' : room
}

const importsOf = ({ tree }: Source): string[] => importsIn(tree)

function importsIn(tree: ts.SourceFile): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    )
      found.push(node.moduleSpecifier.text)
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [first] = node.arguments
      if (first && ts.isStringLiteral(first)) found.push(first.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

function checkDirection(source: Source, specifier: string): string[] {
  if (!specifier.startsWith('.')) return []
  const target = normalize(join(dirname(source.path), specifier))
  const room = roomOf(target)
  if (!target.startsWith('src/') || room === source.room) return []
  const from = FLOORS.findIndex((floor) => floor.includes(source.room))
  const to = FLOORS.findIndex((floor) => floor.includes(room))
  const allowed = from >= 0 && to > from && !FORBIDDEN[source.room]?.includes(room)
  return allowed ? [] : [`${source.path} -> ${relative('src', target)}`]
}

function neighboursOf({ path, tree }: Source): string[] {
  return tree.statements
    .filter((node) => ts.isImportDeclaration(node) || ts.isExportDeclaration(node))
    .map(({ moduleSpecifier }) => moduleSpecifier)
    .filter((specifier) => specifier !== undefined && ts.isStringLiteral(specifier) && specifier.text.startsWith('.'))
    .map((specifier) => normalize(join(dirname(path), (specifier as ts.StringLiteral).text)))
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

/** The imports among the files and folders that stand in a folder. */
function amongChildren(folder: string): Map<string, string[]> {
  const childOf = (path: string): string | undefined =>
    path.startsWith(`${folder}/`) ? path.slice(folder.length + 1).split('/')[0] : undefined
  const among = new Map<string, string[]>()
  for (const [path, targets] of imports) {
    const child = childOf(path)
    if (child === undefined) continue
    const others = targets.map(childOf).filter((other) => other !== undefined && other !== child)
    among.set(child, [...(among.get(child) ?? []), ...(others as string[])])
  }
  return among
}

/** Takes away what imports nothing that is left, again and again: what stays is in a loop, or imports one. */
function loopsOf(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const left = new Map(imports)
  for (let size = -1; size !== left.size;) {
    size = left.size
    for (const [path, targets] of left) if (!targets.some((target) => left.has(target))) left.delete(path)
  }
  return [...left.keys()]
}

function impureImports(source: Source): string[] {
  return importsOf(source)
    .filter((specifier) => specifier.startsWith('node:') && !PURE_NODE.has(specifier))
    .map((specifier) => `${source.path} imports ${specifier}`)
}

function impureNames({ path, tree }: Source): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const text = node.getText(tree)
    if (ts.isPropertyAccessExpression(node) && ['Date.now', 'Math.random', 'performance.now'].includes(text))
      found.push(`${path}: ${text}`)
    if (ts.isNewExpression(node) && node.expression.getText(tree) === 'Date' && !node.arguments?.length)
      found.push(`${path}: new Date()`)
    if (
      ts.isCallExpression(node) &&
      /^(setTimeout|setInterval|setImmediate|fetch|randomUUID|randomBytes)$/.test(node.expression.getText(tree))
    )
      found.push(`${path}: ${node.expression.getText(tree)}()`)
    if (ts.isPropertyAccessExpression(node) && /^(process|console)$/.test(node.expression.getText(tree)))
      found.push(`${path}: ${text}`)
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier)
}

function longFunctions({ path, tree }: Source): string[] {
  const found: string[] = []
  const lineOf = (position: number): number => tree.getLineAndCharacterOfPosition(position).line
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const lines = lineOf(node.end) - lineOf(node.getStart(tree)) + 1
      if (lines > 60) found.push(`${path}:${lineOf(node.getStart(tree)) + 1}: ${lines} lines`)
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}
