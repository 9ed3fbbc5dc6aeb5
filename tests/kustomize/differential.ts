import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { SluiceError } from '../../src/lib/error/sluice-error.ts'
import { build, renderBuild } from '../../src/lib/kustomize/build.ts'
import { treeOfFiles } from '../../src/lib/kustomize/tree.ts'
import type { Files } from './generate-tree.ts'

/** What one side answered: the text, or its error. */
export type Answer = { readonly text: string } | { readonly error: string }

/** Our build of a tree that lies at `root`. */
export function ours(root: string, files: Files): Answer {
  const tree = treeOfFiles(new Map([...files].map(([path, text]) => [join(root, path), text])))
  try {
    return { text: renderBuild(build(tree, join(root, 'top'), { reorder: 'legacy' })) }
  } catch (error) {
    if (error instanceof SluiceError) return { error: error.message }
    return { error: `BUG ${error instanceof Error ? error.stack : String(error)}` }
  }
}

/** The original's build of the same tree, written to `root`. */
export async function theirs(kustomize: string, root: string, files: Files): Promise<Answer> {
  rmSync(root, { recursive: true, force: true })
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  try {
    const { stdout } = await promisify(execFile)(kustomize, ['build', join(root, 'top')], { maxBuffer: 1 << 26 })
    return { text: stdout }
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    return { error: stderr.slice(stderr.indexOf('Error: ') + 7).trim() }
  }
}

/** Why two answers differ; undefined when they agree. Only that both fail is compared, not the text of the errors. */
export function difference(mine: Answer, original: Answer): string | undefined {
  if ('error' in mine && mine.error.startsWith('BUG')) return mine.error
  if ('error' in mine && 'error' in original) return undefined
  if ('error' in mine) return `we fail: ${mine.error}`
  if ('error' in original) return `only kustomize fails: ${original.error}`
  if (mine.text === original.text) return undefined
  const a = mine.text.split('\n')
  const b = original.text.split('\n')
  const at = a.findIndex((line, index) => line !== b[index])
  return `line ${at + 1}: we print ${JSON.stringify(a.slice(at, at + 3))}, kustomize ${JSON.stringify(b.slice(at, at + 3))}`
}
