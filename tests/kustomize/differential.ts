import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { SluiceError } from '../../src/lib/error/sluice-error.ts'
import { build, renderBuild } from '../../src/lib/kustomize/build.ts'
import { treeOfFiles } from '../../src/lib/kustomize/files/tree.ts'
import type { Tree } from './generate-tree.ts'

/** What one side answered: the text, or its error. */
export type Answer = { readonly text: string } | { readonly error: string }

/** Our build of a tree that lies at `root`. */
export function ours(root: string, files: Tree): Answer {
  const tree = treeOfFiles(new Map([...files].map(([path, text]) => [join(root, path), text])))
  try {
    return { text: renderBuild(build(tree, join(root, 'top'), { reorder: 'legacy' })) }
  } catch (error) {
    if (error instanceof SluiceError) return { error: error.message }
    return { error: `BUG ${error instanceof Error ? error.stack : String(error)}` }
  }
}

/** The original's build of the same tree, written to `root`. */
export async function theirs(kustomize: string, root: string, files: Tree): Promise<Answer> {
  writeFiles(root, files)
  try {
    const { stdout } = await promisify(execFile)(kustomize, ['build', join(root, 'top')], { maxBuffer: 1 << 26 })
    return { text: stdout }
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    const start = /^Error: |^panic: /m.exec(stderr)
    return {
      error: stderr
        .slice(start ? start.index : 0)
        .replace(/^Error: /, '')
        .trim(),
    }
  }
}

/** Writes a tree to an emptied folder. */
export function writeFiles(root: string, files: Tree): void {
  rmSync(root, { recursive: true, force: true })
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

/** Why two answers differ; undefined when they agree. Where both fail, the first lines of the errors are compared. */
export function difference(mine: Answer, original: Answer): string | undefined {
  if ('error' in mine && mine.error.startsWith('BUG')) return mine.error
  if ('error' in mine && 'error' in original) return errorDifference(mine.error.trim(), original.error)
  if ('error' in mine) return `we fail: ${mine.error}`
  if ('error' in original) return `only kustomize fails: ${original.error}`
  if (mine.text === original.text) return undefined
  const a = mine.text.split('\n')
  const b = original.text.split('\n')
  const at = a.findIndex((line, index) => line !== b[index])
  return `line ${at + 1}: we print ${JSON.stringify(a.slice(at, at + 3))}, kustomize ${JSON.stringify(b.slice(at, at + 3))}`
}

/**
 * What is compared of an error: the whole text but for what is chance or a dump. A generator is shown by kustomize as its address in
 * memory, and by us as the object that it made; a configuration as a dump; the comments and the quotes of keys in a node's contents are left out. Which of
 * several references that fail is told, is chance. Where kustomize panics, it is enough that we fail.
 */
function errorText(text: string): string {
  return text
    .replace(/(merging from generator )&\{[^}]*\}/g, '$1…')
    .replace(/(merging (?:CRDs|config)) &\{[^]*\}: /, '$1 &{…}: ')
    .replace(/(nodes unequal:)[^]*$/, '$1')
    .replace(/(?<=node contents:[^]*)(?:^#.*\n| # .*$)/gm, '')
    .replace(/(?<=node contents:[^]*)^( *)"([^"]+)":/gm, '$1$2:')
    .replace(/^[^]*found multiple possible referrals:[^]*$/, 'found multiple possible referrals')
    .replace(/(updating name reference in) [^]*$/, '$1')
    .replace(/^panic: /, '')
    .trim()
}

function errorDifference(wholeMine: string, wholeOriginal: string): string | undefined {
  if (/^panic: |runtime error: /.test(wholeOriginal)) return undefined
  const [mine, original] = [errorText(wholeMine), errorText(wholeOriginal)]
  if (mine === original) return undefined
  let same = 0
  while (mine[same] === original[same]) same++
  const shown = (text: string): string => JSON.stringify(text.slice(Math.max(0, same - 40), same + 400))
  return `we say ${shown(mine)}, kustomize ${shown(original)}`
}
