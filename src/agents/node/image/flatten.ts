import {
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { removeEntry } from '../remove-entry.ts'
import { findInLayer } from './layered-path.ts'

/** What a layer takes away from the layers below: a path, or only what a folder holds. */
export type Gone = { readonly path: string; readonly isOpaque: boolean }

/**
 * Makes one folder of layers (topmost first), what `gone` names left out, and of a new layer over them; files are hard links.
 *
 * @param target a new folder on the disk of the layers
 */
export function flatten(
  target: string,
  layers: readonly string[],
  { gone, top, keepOwners }: { readonly gone: readonly Gone[]; readonly top: string; readonly keepOwners: boolean },
): void {
  mkdirSync(target, { mode: 0o755 })
  for (const layer of [...layers].reverse()) linkTree(layer, target, keepOwners)
  for (const one of gone) takeAway(target, one)
  linkTree(top, target, keepOwners)
}

/** Goes through folders alone: where the new layer has a folder, those below may have a symlink that leads out of the image. */
function takeAway(merged: string, { path, isOpaque }: Gone): void {
  const found = findInLayer(merged, path)
  if (found === undefined || found === 'hidden') return
  if (!isOpaque) removeEntry(found.file)
  else if (found.stats.isDirectory()) for (const child of readdirSync(found.file)) removeEntry(join(found.file, child))
}

function linkTree(from: string, to: string, keepOwners: boolean): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) {
      if (!lstatSync(target, { throwIfNoEntry: false })?.isDirectory()) {
        removeEntry(target)
        mkdirSync(target)
      }
      chmodSync(target, 0o755)
      linkTree(source, target, keepOwners)
      copyLook(source, target, keepOwners)
      continue
    }
    removeEntry(target)
    if (!entry.isSymbolicLink()) {
      linkSync(source, target)
      continue
    }
    symlinkSync(readlinkSync(source), target)
    copyLook(source, target, keepOwners)
  }
}

/** Owner, mode and time; what is no hard link has its own. */
function copyLook(source: string, target: string, keepOwners: boolean): void {
  const stats = lstatSync(source)
  if (keepOwners) lchownSync(target, stats.uid, stats.gid)
  if (stats.isDirectory()) chmodSync(target, stats.mode & 0o1777)
  lutimesSync(target, stats.atime, stats.mtime)
}
