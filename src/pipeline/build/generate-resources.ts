import { posix } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { readResources } from '../../lib/kustomize/objects/read-resources.ts'
import { FILE_NAMES } from '../../lib/kustomize/kustomization/target.ts'
import type { FileTree } from '../../lib/kustomize/files/tree.ts'

const MAX_DEPTH = 100

/**
 * The resources of a folder that has no kustomization file: every YAML file in it and below, and every folder with a
 * kustomization file of its own, in the order of their names, written as Flux does (`./a.yaml`). Links to folders are not followed, as in Flux.
 *
 * @throws SluiceError when a YAML file holds no Kubernetes objects
 */
export function generateResources(tree: FileTree, dir: string): string[] {
  const found: string[] = []
  walk(tree, dir, '', found, 0)
  return found
}

function walk(tree: FileTree, dir: string, below: string, found: string[], depth: number): void {
  if (depth > MAX_DEPTH)
    throw new SluiceError('KUSTOMIZE_PATH', `folders are nested deeper than ${MAX_DEPTH} levels`, {
      where: posix.join(dir, below),
    })
  const folder = posix.join(dir, below)
  for (const name of [...tree.readDir(folder)].sort()) {
    const path = posix.join(below, name)
    const entry = tree.stat(posix.join(dir, path))
    if (entry?.kind === 'dir') {
      const isKustomization = FILE_NAMES.some((file) => tree.stat(posix.join(dir, path, file)) !== undefined)
      if (isKustomization) found.push(`./${path}`)
      else if (name !== '.git') walk(tree, dir, path, found, depth + 1)
    } else if (entry?.kind === 'file' && /\.ya?ml$/.test(name)) {
      checkManifest(tree, posix.join(dir, path))
      found.push(`./${path}`)
    }
  }
}

function checkManifest(tree: FileTree, path: string): void {
  try {
    readResources(new TextDecoder().decode(tree.readFile(path)), path)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw new SluiceError('KUSTOMIZE_BUILD', `failed to decode Kubernetes YAML from ${path}: ${error.message}`, {
      where: error.where ?? path,
      hint: 'add a kustomization.yaml that lists the files to build, or move this file',
    })
  }
}
