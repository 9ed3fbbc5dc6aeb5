import { posix } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { build, renderBuild } from '../../lib/kustomize/build.ts'
import { findInObjects } from '../../lib/kustomize/explain/find-in-objects.ts'
import type { Finding } from '../../lib/kustomize/findings.ts'
import type { Remote } from '../../lib/kustomize/files/remote.ts'
import type { FileTree } from '../../lib/kustomize/files/tree.ts'
import { isRecord } from '../../lib/value/is-record.ts'
import type { YamlMap } from '../../lib/yaml/nodes.ts'
import { whereIs } from '../../lib/yaml/position.ts'
import { loadOne } from '../../lib/yaml/load.ts'
import { watchTree } from '../../lib/kustomize/files/watch-tree.ts'
import { FILE_NAMES } from '../../lib/kustomize/kustomization/target.ts'
import { setCommonMetadata, type CommonMetadata } from './common-metadata.ts'
import { findEncryptedSources, type EncryptedSource } from './encrypted-sources.ts'
import { generateResources } from './generate-resources.ts'
import { substituteObjects, type Substitution } from './substitute-objects.ts'

/** What of a Flux Kustomization's `spec` changes its build; every field may be absent. */
export type KustomizationBuildSpec = {
  readonly targetNamespace?: string | undefined
  readonly namePrefix?: string | undefined
  readonly nameSuffix?: string | undefined
  readonly patches?: readonly unknown[] | undefined
  readonly patchesStrategicMerge?: readonly unknown[] | undefined
  readonly patchesJson6902?: readonly unknown[] | undefined
  readonly images?: readonly unknown[] | undefined
  readonly components?: readonly string[] | undefined
  readonly ignoreMissingComponents?: boolean | undefined
  readonly buildMetadata?: readonly string[] | undefined
  readonly commonMetadata?: CommonMetadata | undefined
}

/** What is built. */
export type KustomizationBuild = {
  readonly tree: FileTree
  /** Absolute folder of the source in the tree; nothing outside it is read. Default `/`. */
  readonly root?: string
  /** `spec.path`, from the root. */
  readonly path: string
  readonly spec: KustomizationBuildSpec
  /** 'safe' (default): a field that kustomization.yaml does not have is an error. 'flux': it is dropped in silence, as Flux does. */
  readonly traps?: 'safe' | 'flux'
  /** `spec.postBuild`, its variables fetched; left out when there is none. */
  readonly substitution?: Substitution
  /** Keeps where each value of `trees` came from. */
  readonly origin?: boolean
  /** Brings remote bases and files; without it they are refused. */
  readonly remote?: Remote
}

/** The built objects, their text, and all they depend on: files, paths where nothing stood, folders that were listed. */
export type BuiltKustomization = {
  readonly objects: readonly KubeObject[]
  /** The objects as kustomize prints them, before substitution and common metadata. */
  readonly yaml: string
  readonly filesRead: readonly string[]
  readonly filesMissed: readonly string[]
  readonly foldersListed: readonly string[]
  readonly warnings: readonly string[]
  /** What is probably a mistake in the kustomization, though kustomize says nothing. */
  readonly findings: readonly Finding[]
  /** The objects' trees with the places of their values; none under Flux's traps. */
  readonly trees: readonly YamlMap[]
}

/**
 * Builds what a Flux Kustomization describes: kustomize without load restrictions inside the source, without reordering.
 *
 * A folder without a kustomization file gets one of everything in it.
 * @throws SluiceError with kustomize's text, and the file and line at fault
 * @see https://fluxcd.io/flux/components/kustomize/kustomizations/
 */
export function buildKustomization(input: KustomizationBuild): BuiltKustomization {
  const { spec } = input
  const { tree, looks } = watchTree(input.tree)
  const root = input.root ?? '/'
  const dir = folderOf(input)
  const generated = generatedIn(tree, dir)
  const built = build(tree, dir, {
    reorder: 'none',
    loadRestrictions: 'none',
    jail: root,
    unknownFields: input.traps === 'flux' ? 'lenient' : 'error',
    overlay: overlayOf(spec, tree, dir),
    overlayName: 'spec',
    trees: input.traps !== 'flux',
    ...(input.origin ? { origin: true } : {}),
    ...(generated ? { generated } : {}),
    ...(input.remote ? { remote: input.remote } : {}),
  })
  const all = built.objects.map(asKubeObject)
  all.forEach((object, index) => refuseNameless(object, built.trees?.[index]))
  // Flux's reader leaves out what has no name, and a number is none; safe, the server refuses it.
  const objects = input.traps === 'flux' ? all.filter(({ metadata }) => typeof metadata.name === 'string') : all
  const substituted = input.substitution ? substituteObjects(objects, input.substitution) : objects
  return {
    objects: setCommonMetadata(substituted, spec.commonMetadata),
    yaml: renderBuild(built),
    filesRead: [...looks.filesRead],
    filesMissed: [...looks.filesMissed],
    foldersListed: [...looks.foldersListed],
    warnings: built.warnings,
    findings: [...built.findings, ...(input.traps === 'flux' ? [] : findInObjects(built.trees ?? []))],
    trees: built.trees ?? [],
  }
}

/** The files that the build would read and that SOPS encrypted; they are to be decrypted before it. */
export function encryptedSourcesOf(
  input: Pick<KustomizationBuild, 'tree' | 'root' | 'path' | 'spec'>,
): readonly EncryptedSource[] {
  const { tree, spec, root = '/' } = input
  const dir = folderOf(input)
  return findEncryptedSources({
    tree,
    root,
    dir,
    more: [...(generatedIn(tree, dir) ?? []), ...(spec.components ?? [])],
  })
}

function folderOf({ root = '/', path }: Pick<KustomizationBuild, 'root' | 'path'>): string {
  return posix.resolve(root, `.${posix.join('/', path)}`)
}

/** What the kustomization file lists that Flux makes for a folder without one. */
function generatedIn(tree: FileTree, dir: string): readonly string[] | undefined {
  const hasFile = FILE_NAMES.some((name) => tree.stat(posix.join(dir, name)) !== undefined)
  return hasFile ? undefined : generateResources(tree, dir)
}

/** The spec in the names of a kustomization file. */
function overlayOf(spec: KustomizationBuildSpec, tree: FileTree, dir: string): Record<string, unknown> {
  return {
    namespace: spec.targetNamespace,
    namePrefix: spec.namePrefix,
    nameSuffix: spec.nameSuffix,
    patches: spec.patches,
    patchesStrategicMerge: spec.patchesStrategicMerge?.map((patch) =>
      typeof patch === 'string' ? patch : JSON.stringify(patch),
    ),
    patchesJson6902: spec.patchesJson6902?.map(jsonPatch),
    images: spec.images,
    components: componentsOf(spec, tree, dir),
    buildMetadata: buildMetadataOf(spec, tree, dir),
  }
}

/** Flux asks for origins where a kustomization file lists no resources, so that the file is not an empty one. */
function buildMetadataOf(
  { buildMetadata = [] }: KustomizationBuildSpec,
  tree: FileTree,
  dir: string,
): readonly string[] | undefined {
  if (buildMetadata.length > 0) return buildMetadata
  const name = FILE_NAMES.find((one) => tree.stat(posix.join(dir, one))?.kind === 'file')
  if (name === undefined) return undefined
  const file = readPlain(new TextDecoder().decode(tree.readFile(posix.join(dir, name))), name)
  return isRecord(file) && Array.isArray(file['resources']) && file['resources'].length > 0
    ? undefined
    : ['originAnnotations']
}

/** A text that is no YAML is told by the build. */
function readPlain(text: string, name: string): unknown {
  try {
    return loadOne(text, name, 'v2')
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

/** The operations of an old `patchesJson6902` entry are a list; kustomize wants a text. */
function jsonPatch(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null || !('patch' in entry)) return entry
  return { ...entry, patch: typeof entry.patch === 'string' ? entry.patch : JSON.stringify(entry.patch) }
}

function componentsOf(spec: KustomizationBuildSpec, tree: FileTree, dir: string): string[] {
  const components = spec.components ?? []
  for (const component of components)
    if (!isLocalRelative(component))
      throw new SluiceError('KUSTOMIZE_PATH', `component path '${component}' must be local and relative`, {
        where: 'spec.components',
      })
  if (spec.ignoreMissingComponents !== true) return [...components]
  return components.filter((component) => tree.stat(posix.join(dir, component)) !== undefined)
}

/** Whether a path is no URL and not absolute. */
export function isLocalRelative(path: string): boolean {
  if (path.startsWith('/') || path.startsWith('file:///') || /^(?!file:)[a-z][a-z0-9+.-]*:\/\//i.test(path))
    return false
  return !/^[^/\s]+@[^/\s]+:/.test(path) && !/^(?:github\.com|bitbucket\.org|gitlab\.com)[/:]/.test(path)
}

/** Kustomize builds what has no apiVersion, or one of three parts; nobody can apply it. What else it holds may be secret. */
function refuseNameless({ apiVersion, kind, metadata }: Partial<KubeObject>, tree: YamlMap | undefined): void {
  const { name, namespace } = metadata ?? {}
  const isNamed = Boolean(apiVersion && kind && name)
  if (isNamed && (apiVersion ?? '').split('/').length < 3) return
  const shown = JSON.stringify({ apiVersion, kind, metadata: { name, namespace } })
  const where = whereIs(tree)
  const message = isNamed
    ? `error unmarshaling JSON: while decoding JSON: Object 'Kind' is missing in '${shown}'`
    : `failed to decode Kubernetes apiVersion, kind and name from: ${shown}`
  throw new SluiceError('KUSTOMIZE_BUILD', message, {
    ...(where === undefined ? {} : { where }),
    hint: 'every object needs apiVersion (VERSION or GROUP/VERSION), kind and metadata.name',
  })
}

/** A built value as an object of JSON numbers. */
function asKubeObject(value: Readonly<Record<string, unknown>>): KubeObject {
  const object = toJson(value) as KubeObject
  // Go reads an empty group before the slash
  return /^\/[^/]+$/.test(object.apiVersion) ? { ...object, apiVersion: object.apiVersion.slice(1) } : object
}

function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]))
}
