import { posix } from 'node:path'
import type { KubeObject } from '../../lib/kube/object.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { read, readList, readText } from '../../lib/kube/read.ts'
import { build } from '../../lib/kustomize/build.ts'
import type { FileTree } from '../../lib/kustomize/tree.ts'
import { dump } from '../../lib/yaml/dump.ts'
import { loadAll, loadOne } from '../../lib/yaml/load.ts'

/** What to build: a folder of a tree, and the fields of a Flux Kustomization that take part. */
export type FluxBuildInput = {
  readonly tree: FileTree
  /** Nothing outside it is read. */
  readonly root: string
  /** Relative to the root; '' is the root. */
  readonly path: string
  readonly spec: Readonly<Record<string, unknown>>
  /** `error`: a field that kustomize does not have is refused; `drop`: it is passed over, as in Flux. */
  readonly unknownFields: 'error' | 'drop'
}

type Fields = Record<string, unknown>

const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/**
 * Builds what a Flux Kustomization describes: its folder, with a kustomization file made when there is none, and the fields of its spec laid over.
 * Nothing is reordered.
 *
 * @throws SluiceError with the text that Flux shows
 */
export function fluxBuild(input: FluxBuildInput): { readonly objects: readonly KubeObject[]; readonly yaml: string } {
  const { tree, root, path, spec } = input
  const folder = path === '' ? root : posix.join(root, path)
  const name = FILE_NAMES.find((candidate) => tree.stat(posix.join(folder, candidate))?.kind === 'file')
  const file = posix.join(folder, name ?? 'kustomization.yaml')
  const written = name === undefined ? generate(tree, folder) : readFields(tree, file)
  const laid = layOver(written, spec, (component) => tree.stat(posix.join(folder, component)) !== undefined)
  const text = new TextEncoder().encode(dump(laid))
  const { objects } = prefixed(() =>
    build(overlay(tree, folder, file, text), folder, {
      loadRestrictions: 'none',
      jail: root,
      unknownFields: input.unknownFields,
    }),
  )
  const plain = objects.map(plainObject).filter((object) => object.kind !== '')
  return { objects: plain, yaml: plain.map(dump).join('---\n') }
}

function prefixed<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw new SluiceError(error.code, `kustomize build failed: ${error.message}`, {
      ...(error.where === undefined ? {} : { where: error.where }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    })
  }
}

/** JSON values only: integers beyond 2^53 become numbers, which is what the API server makes of them. */
function plainObject(object: Record<string, unknown>): KubeObject {
  return JSON.parse(
    JSON.stringify(object, (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)),
  ) as KubeObject
}

function readFields(tree: FileTree, file: string): Fields {
  const found = loadOne(new TextDecoder().decode(tree.readFile(file)), file)
  return typeof found === 'object' && found !== null ? (found as Fields) : {}
}

/** A kustomization over every manifest below a folder; a folder with a kustomization of its own is one resource. */
function generate(tree: FileTree, folder: string): Fields {
  const resources: string[] = []
  const walk = (at: string): void => {
    for (const name of [...tree.readDir(at)].sort()) {
      const full = posix.join(at, name)
      const kind = tree.stat(full)?.kind
      if (kind === 'dir') {
        if (FILE_NAMES.some((candidate) => tree.stat(posix.join(full, candidate))?.kind === 'file'))
          resources.push(posix.relative(folder, full))
        else walk(full)
      } else if (kind === 'file' && /\.ya?ml$/.test(name)) {
        checkManifest(tree, full)
        resources.push(posix.relative(folder, full))
      }
    }
  }
  walk(folder)
  const head = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' }
  return resources.length === 0 ? { ...head, namespace: '_placeholder' } : { ...head, resources }
}

function checkManifest(tree: FileTree, file: string): void {
  const fail = (why: string): never => {
    throw new SluiceError('KUSTOMIZE_BUILD', `failed to decode Kubernetes YAML from ${file}: ${why}`, { where: file })
  }
  const documents = parseOrFail(() => loadAll(new TextDecoder().decode(tree.readFile(file)), file), fail)
  for (const document of documents) {
    if (document === null || document === undefined) continue
    if (typeof document !== 'object' || read(document, 'metadata') === undefined) {
      if (!/List$/.test(readText(document, 'kind'))) fail('missing Resource metadata')
    }
  }
}

function parseOrFail(work: () => unknown[], fail: (why: string) => never): unknown[] {
  try {
    return work()
  } catch (error) {
    return fail(error instanceof SluiceError ? `MalformedYAMLError: ${error.message}` : String(error))
  }
}

/** Lays the fields of a Flux spec over a kustomization file. */
function layOver(
  file: Fields,
  spec: Readonly<Record<string, unknown>>,
  exists: (component: string) => boolean,
): Fields {
  const laid: Fields = { ...file }
  const text = (field: string): string => readText(spec, field)
  if (text('targetNamespace') !== '') laid['namespace'] = text('targetNamespace')
  if (text('namePrefix') !== '') laid['namePrefix'] = text('namePrefix')
  if (text('nameSuffix') !== '') laid['nameSuffix'] = text('nameSuffix')
  append(laid, 'patches', readList(spec, 'patches'))
  append(laid, 'patchesStrategicMerge', readList(spec, 'patchesStrategicMerge').map(dump))
  append(
    laid,
    'patchesJson6902',
    readList(spec, 'patchesJson6902').map((entry) => ({
      target: read(entry, 'target'),
      patch: JSON.stringify(read(entry, 'patch')),
    })),
  )
  append(laid, 'components', componentsOf(spec, exists))
  const images = readList(spec, 'images')
  if (images.length > 0) laid['images'] = images.reduce<unknown[]>(mergeImage, [...readList(file, 'images')])
  const metadata = readList(spec, 'buildMetadata')
  if (metadata.length > 0) laid['buildMetadata'] = metadata
  else if (readList(laid, 'resources').length === 0 && laid['namespace'] === undefined)
    laid['buildMetadata'] = ['originAnnotations']
  return laid
}

function append(laid: Fields, field: string, entries: readonly unknown[]): void {
  if (entries.length > 0) laid[field] = [...readList(laid, field), ...entries]
}

function componentsOf(
  spec: Readonly<Record<string, unknown>>,
  exists: (component: string) => boolean,
): readonly string[] {
  const components = readList(spec, 'components').filter((entry) => typeof entry === 'string')
  for (const component of components)
    if (!isLocalRelative(component))
      throw new SluiceError('KUSTOMIZE_BUILD', `component path '${component}' must be local and relative`)
  return read(spec, 'ignoreMissingComponents') === true ? components.filter(exists) : components
}

/** Whether a path names something inside the repository. */
export function isLocalRelative(path: string): boolean {
  const bare = path.replace(/^file:\/\//, '')
  return (
    !bare.startsWith('/') &&
    !/^[a-z][a-z0-9+.-]*:\/\/|^[^/]+@[^/]+:|^(github\.com|gitlab\.com|bitbucket\.org)\//.test(bare)
  )
}

/** Merges an image of the spec into those of the file: newName keeps the tag, a new tag or digest replaces both. */
export function mergeImage(images: readonly unknown[], entry: unknown): unknown[] {
  const at = images.findIndex((image) => read(image, 'name') === read(entry, 'name'))
  const { name, newName, newTag, digest } = entry as Record<string, string | undefined>
  const old = (at < 0 ? {} : images[at]) as Fields
  const version = newTag || digest ? { ...(newTag ? { newTag } : {}), ...(digest ? { digest } : {}) } : pick(old)
  const kept = newName || readText(old, 'newName')
  const merged = { name, ...(kept ? { newName: kept } : {}), ...version }
  return at < 0 ? [...images, merged] : images.map((image, index) => (index === at ? merged : image))
}

function pick({ newTag, digest, tagSuffix }: Fields): Fields {
  return { ...(newTag ? { newTag } : {}), ...(digest ? { digest } : {}), ...(tagSuffix ? { tagSuffix } : {}) }
}

/** The tree with one file replaced or added. */
function overlay(tree: FileTree, folder: string, file: string, bytes: Uint8Array): FileTree {
  const name = posix.basename(file)
  return {
    stat: (path) => (path === file ? { kind: 'file', sizeBytes: bytes.length } : tree.stat(path)),
    readFile: (path) => (path === file ? bytes : tree.readFile(path)),
    readDir(path) {
      const names = tree.readDir(path)
      return path === folder && !names.includes(name) ? [...names, name] : names
    },
  }
}
