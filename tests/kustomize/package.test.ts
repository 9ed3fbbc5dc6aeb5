// `sluice/kustomize` as a stranger uses it: the examples of docs/kustomize.md, its types, and many builds at once.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'

const bundle = pathToFileURL(resolve('dist/kustomize.mjs')).href
const project = mkdtempSync(join(tmpdir(), 'sluice-package-'))
const page = readFileSync('docs/kustomize.md', 'utf8')

before(() => {
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(resolve('.'), join(project, 'node_modules/sluice'))
  mkdirSync(join(project, 'overlay'))
  writeFileSync(join(project, 'package.json'), '{"type": "module"}')
  writeFileSync(join(project, 'overlay/kustomization.yaml'), 'resources: [a.yaml]\n')
  writeFileSync(join(project, 'overlay/a.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n')
})
after(() => rmSync(project, { recursive: true, force: true }))

const blocks = [...page.matchAll(/```(\w*)\n(.*?)```/gs)].map(([, language = '', text = '']) => ({ language, text }))
for (const [index, { language, text }] of blocks.entries()) {
  if (language !== 'js') continue
  test(`example ${index} of docs/kustomize.md runs, and prints what the page says`, () => {
    const file = join(project, `example-${index}.js`)
    writeFileSync(file, text)
    const ran = spawnSync(process.execPath, [file], { cwd: project, encoding: 'utf8' })
    assert.equal(ran.status, 0, ran.stderr)
    const next = blocks[index + 1]
    if (next && next.language !== 'js') assert.equal(ran.stdout.trim(), next.text.trim())
    else assert.notEqual(ran.stdout, '')
  })
}

test('its types compile where they are used', () => {
  const emit = "import('./scripts/build.mjs').then((build) => build.emitTypes())"
  if (!existsSync('dist/types/app/kustomize-package.d.ts')) spawnSync(process.execPath, ['-e', emit])
  const file = join(project, 'use.ts')
  writeFileSync(
    file,
    `import { build, diskTree, origin, renderBuild, SluiceError, treeOfFiles } from 'sluice/kustomize'
import type { BuildOptions, BuildResult, ErrorCode, FileTree } from 'sluice/kustomize'
const options: BuildOptions = { reorder: 'legacy', origin: true }
const tree: FileTree = treeOfFiles(new Map([['/a', 'b']]))
const result: BuildResult = build(tree, '/a', options)
const text: string = renderBuild(result) + (origin(result, { kind: 'A', name: 'b' }, 'c')?.path ?? '')
export const code: ErrorCode | undefined = new SluiceError('KUSTOMIZE_PATH', text).code
// @ts-expect-error a number is no folder
build(diskTree(), 1)
`,
  )
  const compiler = resolve('node_modules/typescript/bin/tsc')
  const argv = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', file]
  const ran = spawnSync(process.execPath, [compiler, ...argv], { cwd: project, encoding: 'utf8' })
  assert.equal(ran.stdout, '')
})

/** Builds a tree of its own again and again, taking turns with others of its thread; answers the texts. */
const MANY = `
import { parentPort, workerData } from 'node:worker_threads'
const { build, renderBuild, treeOfFiles } = await import(workerData.bundle)
const treeFor = (n) => treeOfFiles(new Map([
  ['/o/kustomization.yaml', 'resources: [../b]\\nnamePrefix: p' + n + '-\\nimages: [{name: img, newTag: "' + n + '"}]\\nconfigMapGenerator: [{name: c, literals: [n=' + n + ']}]\\n'],
  ['/b/kustomization.yaml', 'resources: [d.yaml]\\n' + (n % 2 ? 'openapi: {version: v1.21.2}\\n' : '')],
  ['/b/d.yaml', 'apiVersion: apps/v1\\nkind: Deployment\\nmetadata: {name: d}\\nspec: {template: {spec: {containers: [{name: c, image: img}]}}}\\n'],
]))
const one = async (n) => {
  const texts = new Set()
  for (let i = 0; i < 20; i++) {
    texts.add(renderBuild(build(treeFor(n), '/o')))
    await null
  }
  return [...texts]
}
parentPort.postMessage(await Promise.all(workerData.numbers.map(one)))
`

test('builds in several threads, interleaved in each, give the same bytes', async () => {
  const numbers = [0, 1, 2, 3, 4, 5]
  const answers = await Promise.all([1, 2, 3].map(() => inThread(numbers)))
  for (const answer of answers) {
    assert.deepEqual(answer, answers[0])
    for (const [n, texts] of answer.entries()) {
      assert.equal(texts.length, 1)
      assert.match(texts[0] ?? '', new RegExp(`image: img:"?${n}`))
    }
  }
})

function inThread(numbers: readonly number[]): Promise<string[][]> {
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(MANY)}`), {
    workerData: { bundle, numbers },
  })
  return new Promise((done, fail) => {
    worker.once('message', done)
    worker.once('error', fail)
  })
}
