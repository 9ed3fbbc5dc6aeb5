import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../../lib/error/sluice-error.ts'

/** A path inside an image as the layers together show it. */
export type LayeredPath = {
  /** Without any symlink in it, relative to the image's root, no leading slash; '' is the root. */
  readonly path: string
  /** The file in the topmost layer that has it; undefined when no layer has. */
  readonly file: string | undefined
  readonly stats: Stats | undefined
}

/**
 * Follows a path through layers (topmost first), symlinks included, never leaving the image: `..` and absolute links mean the image's root.
 *
 * @param follow whether a symlink in the last place is followed too
 * @throws SluiceError IMAGE_UNSAFE after 40 symlinks
 */
export function resolveInLayers(layers: readonly string[], wanted: string, follow = true): LayeredPath {
  const todo = wanted.split('/').filter((part) => part !== '' && part !== '.')
  const done: string[] = []
  let links = 0
  for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
    if (part === '..') {
      done.pop()
      continue
    }
    done.push(part)
    const found = topmost(layers, done.join('/'))
    if (!found?.stats.isSymbolicLink() || (todo.length === 0 && !follow)) continue
    if (++links > 40) throw new SluiceError('IMAGE_UNSAFE', `"${wanted}" goes through more than 40 symlinks`)
    const target = readlinkSync(found.file)
    if (target.startsWith('/')) done.length = 0
    else done.pop()
    todo.unshift(...target.split('/').filter((piece) => piece !== '' && piece !== '.'))
  }
  const path = done.join('/')
  const found = topmost(layers, path)
  return { path, file: found?.file, stats: found?.stats }
}

function topmost(layers: readonly string[], path: string): { file: string; stats: Stats } | undefined {
  for (const layer of layers) {
    const file = join(layer, path)
    const stats = lstatSync(file, { throwIfNoEntry: false })
    if (stats !== undefined) return { file, stats }
  }
  return undefined
}
