import { posix } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { readList, readText } from '../../lib/kube/read.ts'
import { FILE_NAMES } from '../../lib/kustomize/kustomization/target.ts'
import type { FileTree } from '../../lib/kustomize/files/tree.ts'
import { LARGEST_SOPS_BYTES } from '../../lib/sops/decrypt.ts'
import { formatOfPath, looksEncrypted, type SopsFormat } from '../../lib/sops/format.ts'
import { loadOne } from '../../lib/yaml/load.ts'

/** A file of the source that a build reads and SOPS encrypted. */
export type EncryptedSource = { readonly path: string; readonly format: SopsFormat; readonly bytes: Uint8Array }

/** Where to look. */
export type SourceSearch = {
  readonly tree: FileTree
  /** Nothing outside of it is looked at. */
  readonly root: string
  readonly dir: string
  /** Resources and components that come to those of the first kustomization file. */
  readonly more: readonly string[]
}

const MOST_FOLDERS = 10_000

/**
 * Finds the encrypted files that kustomize would read: files and envs of Secret generators, and patches, of every kustomization that is reached. A
 * `.sops.yaml` decides nothing: it is for those who encrypt.
 *
 * @throws SluiceError SOPS_DECRYPT for a file above 5 MiB
 */
export function findEncryptedSources({ tree, root, dir, more }: SourceSearch): readonly EncryptedSource[] {
  const found = new Map<string, EncryptedSource>()
  const seen = new Set<string>()
  visit(dir, more)
  return [...found.values()]

  function visit(folder: string, extra: readonly string[]): void {
    if (seen.has(folder) || seen.size > MOST_FOLDERS || !isInside(folder) || tree.stat(folder)?.kind !== 'dir') return
    seen.add(folder)
    const file = kustomizationIn(tree, folder)
    for (const { path, format } of encryptableIn(file)) note(posix.join(folder, path), format)
    const below = [...readList(file, 'resources'), ...readList(file, 'components'), ...extra]
    for (const path of below) if (typeof path === 'string') visit(posix.join(folder, path), [])
  }

  function note(path: string, format: SopsFormat): void {
    const entry = found.has(path) || !isInside(path) ? undefined : tree.stat(path)
    if (entry?.kind !== 'file') return
    const bytes = tree.readFile(path)
    if (!looksEncrypted(bytes, format)) return
    if (bytes.length > LARGEST_SOPS_BYTES)
      throw new SluiceError(
        'SOPS_DECRYPT',
        `cannot decrypt file with size (${bytes.length} bytes) exceeding limit (${LARGEST_SOPS_BYTES})`,
        { where: path },
      )
    found.set(path, { path, format, bytes })
  }

  function isInside(path: string): boolean {
    return path === root || path.startsWith(root === '/' ? '/' : `${root}/`)
  }
}

function kustomizationIn(tree: FileTree, folder: string): unknown {
  const name = FILE_NAMES.find((file) => tree.stat(posix.join(folder, file))?.kind === 'file')
  if (name === undefined) return undefined
  try {
    return loadOne(new TextDecoder().decode(tree.readFile(posix.join(folder, name))))
  } catch (error) {
    // The build will say what is wrong with it.
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

function encryptableIn(file: unknown): readonly { readonly path: string; readonly format: SopsFormat }[] {
  const generators = readList(file, 'secretGenerator')
  const files = generators.flatMap((generator) => readList(generator, 'files')).map((entry) => fileOf(String(entry)))
  const envs = generators.flatMap((generator) => [readText(generator, 'env'), ...readList(generator, 'envs')])
  const patches = readList(file, 'patches').map((patch) => readText(patch, 'path'))
  return [
    ...files,
    ...envs.map(String).map((path) => ({ path, format: envFormat(path) })),
    ...patches.map((path) => ({ path, format: formatOfPath(path) })),
  ].filter(({ path }) => path !== '')
}

/** `key=path` or a path alone; the key says which format it is. */
function fileOf(entry: string): { readonly path: string; readonly format: SopsFormat } {
  const at = entry.indexOf('=')
  const key = at < 0 ? entry : entry.slice(0, at)
  return { path: entry.slice(at + 1), format: formatOfPath(key) }
}

function envFormat(path: string): SopsFormat {
  const format = formatOfPath(path)
  return format === 'binary' ? 'dotenv' : format
}
