import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fetchVariables } from '../../../adapters/engine/kustomization/build/variables.ts'
import { diskTree } from '../../../adapters/files/disk-tree.ts'
import type { KubeClient } from '../../../adapters/kube/types.ts'
import { type Kustomization, parseKustomization } from '../../../kinds/kustomization.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { groupOf, type KubeObject } from '../../../lib/kube/object.ts'
import type { FileTree } from '../../../lib/kustomize/files/tree.ts'
import { loadAll } from '../../../lib/yaml/load.ts'
import { withMetadata } from '../../../pipeline/apply/normalize.ts'
import { ownerLabels } from '../../../pipeline/apply/rules.ts'
import { buildKustomization, type KustomizationBuildSpec } from '../../../pipeline/build/build-kustomization.ts'
import type { Substitution } from '../../../pipeline/build/substitute-objects.ts'
import { isIgnored, readPatterns } from '../../../pipeline/source/ignore.ts'
import type { Io } from '../command.ts'
import { defaultNamespace } from '../objects/get.ts'
import { findKind, fluxKind } from '../objects/kind-names.ts'
import { realFolder } from '../build/real-folder.ts'

/** Flags of `build kustomization` and `diff kustomization`, as flux has them. */
export const LOCAL_OPTIONS = {
  path: { type: 'string' },
  'kustomization-file': { type: 'string' },
  'ignore-paths': { type: 'string', multiple: true },
  'strict-substitute': { type: 'boolean', default: false },
} as const

/** {@link LOCAL_OPTIONS} as usage lines say them. */
export const LOCAL_USAGE = '--path DIR [--kustomization-file FILE] [--ignore-paths PATTERN,…] [--strict-substitute]'

/** Values of {@link LOCAL_OPTIONS}. */
export type LocalValues = {
  readonly path?: string | undefined
  readonly 'kustomization-file'?: string | undefined
  readonly 'ignore-paths'?: string[] | undefined
  readonly 'strict-substitute'?: boolean | undefined
}

/** A Kustomization whose folder lies on this disk, not in its source. */
export type LocalKustomization = {
  readonly object: Kustomization
  readonly dir: string
  readonly ignorePaths: readonly string[]
  /** Whether a variable that nobody gives is an error. */
  readonly isStrict: boolean
}

/** Which Kustomization, in a cluster or in a file. */
export type Wanted = { readonly name: string; readonly namespace: string | undefined; readonly values: LocalValues }

/**
 * Finds a Kustomization: the one of the file if one is named, with the status of that of the cluster.
 *
 * @param client `undefined`: the cluster is not asked (`--dry-run`)
 * @throws SluiceError OBJECT_MISSING, KUSTOMIZE_PATH in flux's words
 */
export async function findLocal(client: KubeClient | undefined, io: Io, wanted: Wanted): Promise<LocalKustomization> {
  const { name, values } = wanted
  const dir = folderOf(io, values.path)
  const file = values['kustomization-file']
  const found = client && (await findLive(client, wanted))
  const namespace = found?.namespace ?? wanted.namespace ?? 'flux-system'
  const live = found?.object
  const written = file === undefined ? undefined : readKustomizationFile(resolve(io.cwd, file), file, name, namespace)
  const object = written ? { ...written, ...(live?.['status'] === undefined ? {} : { status: live['status'] }) } : live
  if (!object)
    throw new SluiceError(
      'OBJECT_MISSING',
      `failed to get kustomization object: kustomizations.kustomize.toolkit.fluxcd.io "${name}" not found`,
      { hint: 'name it as `sluice get ks` does, or give --kustomization-file' },
    )
  return {
    object: parseKustomization(object),
    dir,
    ignorePaths: (values['ignore-paths'] ?? []).flatMap((list) => list.split(',')),
    isStrict: values['strict-substitute'] ?? false,
  }
}

async function findLive(client: KubeClient, { name, namespace: asked }: Wanted) {
  const kind = await findKind(client, 'kustomization')
  const namespace = asked ?? defaultNamespace(kind)
  return { namespace, object: await client.get({ ...kind, namespace, name }) }
}

/** The folder of `--path`, in flux's words when there is none. */
function folderOf(io: Io, path = ''): string {
  const dir = realFolder(io, path)
  if (path === '' || !existsSync(dir))
    throw new SluiceError('KUSTOMIZE_PATH', `invalid resource path ${JSON.stringify(path)}`, {
      hint: 'name a folder of manifests with --path',
    })
  return dir
}

function readKustomizationFile(path: string, shown: string, name: string, namespace: string): KubeObject {
  if (!existsSync(path)) throw new SluiceError('KUSTOMIZE_PATH', `invalid kustomization file "${shown}"`)
  const group = fluxKind('kustomization')?.group
  const found = (loadAll(readFileSync(path, 'utf8')) as (KubeObject | null)[]).find(
    (object) =>
      object?.kind === 'Kustomization' &&
      groupOf(object.apiVersion) === group &&
      object.metadata.name === name &&
      (object.metadata.namespace ?? namespace) === namespace,
  )
  if (found) return { ...found, metadata: { ...found.metadata, namespace } }
  throw new SluiceError(
    'OBJECT_MISSING',
    `failed to get kustomization object: failed find kustomization with name '${name}' and namespace '${namespace}' in file '${shown}'`,
  )
}

/**
 * Builds the folder as the engine would build the Kustomization's own: its spec, its variables, its labels.
 *
 * @param client `undefined`: variables of ConfigMaps and Secrets are left out
 * @throws SluiceError SECRET_MISSING and those of the build
 */
export async function buildLocal(
  client: KubeClient | undefined,
  { object, dir, ignorePaths, isStrict }: LocalKustomization,
  io: Io,
): Promise<readonly KubeObject[]> {
  const spec = { ...object.spec, commonMetadata: undefined }
  const substitution = await variablesOf(client, object)
  const labels = ownerLabels(object.namespace, object.name)
  const built = buildFolder(dir, io, spec, substitution && { ...substitution, strict: isStrict }, ignorePaths)
  return built.map((one) => withMetadata(withMetadata(one, labels), object.commonLabels, object.commonAnnotations))
}

async function variablesOf(
  client: KubeClient | undefined,
  kustomization: Kustomization,
): Promise<Substitution | undefined> {
  const fetched = await fetchVariables(client, kustomization)
  if (!('missing' in fetched)) return fetched.substitution
  const { kind, name } = fetched.missing
  throw new SluiceError('SECRET_MISSING', `${kind} "${name}" not found in ${kustomization.namespace} namespace`, {
    retry: 'backoff',
    where: 'spec.postBuild.substituteFrom',
    hint: 'create it, or mark the reference as optional',
  })
}

/** Builds a folder of this disk as an engine would. */
export function buildFolder(
  dir: string,
  io: Io,
  spec: KustomizationBuildSpec,
  substitution?: Substitution,
  ignorePaths: readonly string[] = [],
): readonly KubeObject[] {
  if (!existsSync(dir))
    throw new SluiceError('KUSTOMIZE_PATH', `no such folder: ${dir}`, { hint: 'name a folder of manifests' })
  const root = rootOf(dir, realFolder(io, '.'))
  const built = buildKustomization({
    tree: ignorePaths.length === 0 ? diskTree() : withoutIgnored(diskTree(), dir, ignorePaths),
    root,
    path: relative(root, dir),
    spec,
    ...(substitution ? { substitution } : {}),
  })
  for (const warning of built.warnings) io.err(warning)
  return built.objects
}

/** The files that a folder without a kustomization file lists: not those of its .sourceignore and of `--ignore-paths`. */
function withoutIgnored(tree: FileTree, dir: string, ignorePaths: readonly string[]): FileTree {
  const own = join(dir, '.sourceignore')
  const text = existsSync(own) ? readFileSync(own, 'utf8') : ''
  const patterns = [...readPatterns(text), ...readPatterns(ignorePaths.join('\n'))]
  const isOut = (path: string): boolean =>
    isIgnored(patterns, relative(dir, path).split('/'), tree.stat(path)?.kind === 'dir')
  return {
    ...tree,
    readDir: (folder) =>
      folder === dir || folder.startsWith(`${dir}/`)
        ? tree.readDir(folder).filter((name) => !isOut(join(folder, name)))
        : tree.readDir(folder),
  }
}

/** What the build may read, as the source that the engine would fetch: the repository around the folder, else the working folder, else the folder itself. */
function rootOf(dir: string, cwd: string): string {
  for (let at = dir; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at
    if (at === dirname(at)) break
  }
  const isInside = dir === cwd || dir.startsWith(`${cwd}/`)
  return isInside ? cwd : dir
}
