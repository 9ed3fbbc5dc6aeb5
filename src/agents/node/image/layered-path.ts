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

/** Folders within each other: more than any image has, and few enough that who makes them holds up nobody. */
export const MOST_FOLDERS = 255

/**
 * Follows a path through layers (topmost first), symlinks included, never leaving the image: `..` and absolute links mean the image's root.
 *
 * @param follow whether a symlink in the last place is followed too
 * @throws SluiceError IMAGE_UNSAFE after 40 symlinks, and below 255 folders
 */
export function resolveInLayers(layers: readonly string[], wanted: string, follow = true): LayeredPath {
  return resolveBy(openLayers(layers), wanted, follow)
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
    if (done.length > MOST_FOLDERS)
      throw new SluiceError('IMAGE_UNSAFE', `"${wanted.slice(0, 200)}" goes below more than ${MOST_FOLDERS} folders`)
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

/** What layers (topmost first) together show at a path without symlinks, for as long as nothing changes in them. */
export function openLayers(layers: readonly string[]): (path: string) => Found | undefined {
  const opened = layers.map(openLayer)
  return (path) => {
    for (const find of opened) {
      const found = find(path)
      if (found !== undefined) return found === 'hidden' ? undefined : found
    }
    return undefined
  }
}

/** `hidden` where something that is no folder stands in the way, which hides what layers below have there, too. */
export type InLayer = Found | 'hidden' | undefined

/**
 * What a layer has at a path, going through its folders alone: where one layer has a folder, another may have a symlink that leads out of the image.
 */
export function findInLayer(layer: string, path: string): InLayer {
  return openLayer(layer)(path)
}

/** The same for many paths, each looked for from where its folder was found: for as long as nothing changes in the layer. */
export function openLayer(layer: string): (path: string) => InLayer {
  const known = new Map<string, InLayer>()
  const find = (path: string): InLayer => {
    if (known.has(path)) return known.get(path)
    const end = path.lastIndexOf('/')
    const found: InLayer =
      path === ''
        ? { file: layer, stats: lstatSync(layer) }
        : findChild(find(path.slice(0, Math.max(end, 0))), path.slice(end + 1))
    known.set(path, found)
    return found
  }
  return find
}

function findChild(folder: InLayer, name: string): InLayer {
  if (folder === undefined || folder === 'hidden') return folder
  if (!folder.stats.isDirectory()) return 'hidden'
  const file = join(folder.file, name)
  const stats = lstatSync(file, { throwIfNoEntry: false })
  return stats && { file, stats }
}
