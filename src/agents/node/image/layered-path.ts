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
  return resolveBy((path) => findInLayers(layers, path), wanted, follow)
}

/** The same, where `find` says what there is at a path without symlinks. */
export function resolveBy(find: (path: string) => Found | undefined, wanted: string, follow = true): LayeredPath {
  const todo = wanted.split('/').filter((part) => part !== '' && part !== '.')
  const done: string[] = []
  let links = 0
  for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
    if (part === '..') {
      done.pop()
      continue
    }
    done.push(part)
    const found = find(done.join('/'))
    if (!found?.stats.isSymbolicLink() || (todo.length === 0 && !follow)) continue
    if (++links > 40) throw new SluiceError('IMAGE_UNSAFE', `"${wanted}" goes through more than 40 symlinks`)
    const target = readlinkSync(found.file)
    if (target.startsWith('/')) done.length = 0
    else done.pop()
    todo.unshift(...target.split('/').filter((piece) => piece !== '' && piece !== '.'))
  }
  const path = done.join('/')
  const found = find(path)
  return { path, file: found?.file, stats: found?.stats }
}

/** A file of a layer. */
export type Found = { readonly file: string; readonly stats: Stats }

/** What layers (topmost first) together show at a path without symlinks. */
export function findInLayers(layers: readonly string[], path: string): Found | undefined {
  for (const layer of layers) {
    const found = findInLayer(layer, path)
    if (found !== undefined) return found === 'hidden' ? undefined : found
  }
  return undefined
}

/**
 * What a layer has at a path, going through its folders alone: where one layer has a folder, another may have a symlink that leads out of the image.
 *
 * @returns `hidden` where something that is no folder stands in the way, which hides what layers below have there, too
 */
export function findInLayer(layer: string, path: string): Found | 'hidden' | undefined {
  let found: Found = { file: layer, stats: lstatSync(layer) }
  for (const part of path.split('/').filter((piece) => piece !== '')) {
    if (!found.stats.isDirectory()) return 'hidden'
    const file = join(found.file, part)
    const stats = lstatSync(file, { throwIfNoEntry: false })
    if (stats === undefined) return undefined
    found = { file, stats }
  }
  return found
}
