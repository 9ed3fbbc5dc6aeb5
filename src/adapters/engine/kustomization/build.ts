import type { StepFailure } from '../../../controllers/kustomization.ts'
import type { Kustomization, SubstituteReference } from '../../../kinds/kustomization.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { groupOf, versionOf, type KubeObject } from '../../../lib/kube/object.ts'
import { readList, readText } from '../../../lib/kube/read.ts'
import { digestOf } from '../../../lib/oci/digest.ts'
import { buildKustomization } from '../../../pipeline/build/build-kustomization.ts'
import type { Substitution } from '../../../pipeline/build/substitute-objects.ts'
import type { WorkloadImages } from '../../../pipeline/record/fact.ts'
import type { EngineContext } from '../context.ts'
import { eachLimited } from '../each-limited.ts'
import { cleanFolder } from '../git-repository/files.ts'
import type { SourceSnapshot } from '../source-store.ts'
import { hashJson } from './live-objects.ts'
import { fetchVariables } from './variables.ts'
import { isFolder, MissingBytes, recordTree, sameAnswers, type Reads } from './source-tree.ts'

/** A build, and what it was made from: as long as both stay the same it need not be made again. */
export type BuildMemory = {
  readonly specHash: string
  readonly reads: Reads
  readonly objects: readonly KubeObject[]
  /** sha256 of the built manifests. */
  readonly digest: string
}

/** Where a source seems to lie for the build: errors name files below it, as Flux's name its work folder. */
const ROOT = '/tmp/kustomization-1000000000'
const FILES_AT_ONCE = 64
const MOST_LOADS = 1000

/** Builds what a Kustomization describes, or answers what was wrong. A build whose files and fields have not changed is the one from before. */
export async function buildManifests(
  context: EngineContext,
  before: BuildMemory | undefined,
  kustomization: Kustomization,
): Promise<BuildMemory | { readonly failure: StepFailure }> {
  const { kind, namespace, name } = kustomization.sourceRef
  const snapshot = context.sources.get(kind, namespace, name)
  const path = cleanFolder(kustomization.path)
  if (!snapshot || !isFolder(snapshot, path)) {
    const message = `kustomization path not found: stat ${shown(context, `${ROOT}/${path}`)}: no such file or directory`
    return { failure: { phase: 'Fetching manifests', reason: 'ArtifactFailed', message } }
  }
  const fetched = await fetchVariables(context.client, kustomization)
  const substitution = 'missing' in fetched ? undefined : fetched.substitution
  const specHash = hashJson([kustomization.spec, namespace, name, substitution ?? null])
  const isKnown = before?.specHash === specHash && sameAnswers(snapshot, before.reads)
  if (isKnown && !('missing' in fetched)) return before
  try {
    const { objects, yaml, reads } = await loadAndBuild(snapshot, path, kustomization, context.traps, substitution)
    if ('missing' in fetched) throw missingVariables(objects, fetched.missing)
    return { specHash, reads, objects, digest: digestOf(yaml) }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const isVariable = error.where === 'spec.postBuild'
    const first = isVariable
      ? (await loadAndBuild(snapshot, path, kustomization, context.traps, undefined)).objects[0]
      : undefined
    const text = first ? `post build failed for '${shortId(first)}': envsubst error: ${error.message}` : flatten(error)
    const message = context.traps === 'flux' ? text : shown(context, await placed(snapshot, error, text))
    return { failure: { phase: 'Building manifests', reason: 'BuildFailed', message } }
  }
}

/** Steps before and after kustomize's own say so themselves. */
const OWN_WORDS = /^(failed to decode Kubernetes YAML|component path|post build failed|kustomize build failed)/

/** The text that Flux shows for a build that failed. */
function flatten(error: SluiceError): string {
  const { message, where } = error
  const decode = /^(failed to decode Kubernetes YAML from \S+: )(?!MalformedYAMLError|missing)(.*)$/s.exec(message)
  const line = /:(\d+)(?::\d+)?$/.exec(where ?? '')?.[1]
  if (decode && line !== undefined) return `${decode[1]}MalformedYAMLError: yaml: line ${line}: ${decode[2]}`
  return OWN_WORDS.test(message) ? message : `kustomize build failed: ${message}`
}

/** The text with what Flux leaves out: the file and line before it, what to do behind it. */
async function placed(snapshot: SourceSnapshot, { where, hint }: SluiceError, text: string): Promise<string> {
  const place = where !== undefined && /:\d+$/.test(where) ? `${where}: ` : ''
  const advice = (await adviceOnLink(snapshot, text)) ?? hint
  return `${place}${text}${advice === undefined ? '' : ` (${advice})`}`
}

/** Links are no files of a source, so that none can lead out of the repository; who names one is told. */
async function adviceOnLink(snapshot: SourceSnapshot, text: string): Promise<string | undefined> {
  const missing = /lstat (\S+): no such file/.exec(text)?.[1]
  if (!missing?.startsWith(`${ROOT}/`)) return undefined
  const link = await snapshot.linkOn?.(missing.slice(ROOT.length + 1))
  return link && `"${link}" is a symbolic link; links are not followed, put the file itself there`
}

/** How kustomize names an object: `ConfigMap.v1.[noGrp]/a`. */
function shortId({ apiVersion, kind, metadata }: KubeObject): string {
  return `${kind}.${versionOf(apiVersion)}.${groupOf(apiVersion) || '[noGrp]'}/${metadata.name}`
}

function missingVariables(objects: readonly KubeObject[], { kind, name }: SubstituteReference): SluiceError {
  const [first] = objects
  const id = first ? shortId(first) : ''
  const plural = kind === 'Secret' ? 'secrets' : 'configmaps'
  return new SluiceError(
    'SECRET_MISSING',
    `post build failed for '${id}': substitute from '${kind}/${name}' error: ${plural} "${name}" not found`,
    { retry: 'backoff', where: 'spec.postBuild.substituteFrom' },
  )
}

/** Safe messages name files from the root of the repository; Flux's name its work folder. */
function shown({ traps }: EngineContext, message: string): string {
  return traps === 'flux' ? message : message.replaceAll(`${ROOT}/`, '').replaceAll(ROOT, '.')
}

type Built = { readonly objects: readonly KubeObject[]; readonly yaml: string; readonly reads: Reads }

/** The build reads at once; files that are not in memory are loaded, with their neighbours, and it starts again. */
async function loadAndBuild(
  snapshot: SourceSnapshot,
  path: string,
  kustomization: Kustomization,
  traps: 'safe' | 'flux',
  substitution: Substitution | undefined,
): Promise<Built> {
  const bytes = new Map<string, Uint8Array>()
  await load(snapshot, path, bytes)
  for (let loads = 0; loads < MOST_LOADS; loads++) {
    const { tree, reads } = recordTree(snapshot, ROOT, bytes)
    try {
      const { objects, yaml } = buildKustomization({
        tree,
        root: ROOT,
        path,
        spec: { ...kustomization.spec, commonMetadata: undefined },
        traps,
        ...(substitution ? { substitution } : {}),
      })
      return { objects, yaml, reads }
    } catch (error) {
      if (!(error instanceof MissingBytes)) throw error
      const folder = error.path.includes('/') ? error.path.slice(0, error.path.lastIndexOf('/')) : ''
      await load(snapshot, folder, bytes, error.path)
    }
  }
  throw new SluiceError('APPLY_FAILED', `the build reads files of more than ${MOST_LOADS} folders`)
}

/** Loads the files of a folder (all levels below a Kustomization's own path, one level elsewhere). */
async function load(
  snapshot: SourceSnapshot,
  folder: string,
  bytes: Map<string, Uint8Array>,
  missing?: string,
): Promise<void> {
  const prefix = folder === '' ? '' : `${folder}/`
  const wanted = [...snapshot.files.values()].filter(
    ({ path, hash }) =>
      !bytes.has(hash) &&
      (path === missing ||
        (path.startsWith(prefix) && (missing === undefined || !path.slice(prefix.length).includes('/')))),
  )
  await eachLimited(wanted, FILES_AT_ONCE, async (file) => bytes.set(file.hash, await snapshot.read(file)))
}

const WORKLOADS = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'])

/** Every object that runs pods, and the images it asks for. */
export function workloadsOf(objects: readonly KubeObject[]): readonly WorkloadImages[] {
  return objects
    .filter(({ kind }) => WORKLOADS.has(kind))
    .map((object) => ({
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name,
      images: imagesOfObject(object),
    }))
}

const POD_SPECS = [['spec'], ['spec', 'template', 'spec'], ['spec', 'jobTemplate', 'spec', 'template', 'spec']]

function imagesOfObject(object: KubeObject): readonly string[] {
  return POD_SPECS.flatMap((path) =>
    ['initContainers', 'containers'].flatMap((list) => readList(object, ...path, list)),
  )
    .map((container) => readText(container, 'image'))
    .filter((image) => image !== '')
}
