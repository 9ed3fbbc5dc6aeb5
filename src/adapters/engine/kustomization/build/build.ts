import type { StepFailure } from '../../../../controllers/kustomization.ts'
import type { Kustomization, SubstituteReference } from '../../../../kinds/kustomization.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../../lib/kube/object.ts'
import type { Finding } from '../../../../lib/kustomize/findings.ts'
import { digestOf } from '../../../../lib/oci/digest.ts'
import { nearest } from '../../../../lib/value/nearest.ts'
import { dump } from '../../../../lib/yaml/dump.ts'
import type { YamlMap } from '../../../../lib/yaml/nodes.ts'
import { fluxWords } from '../../../../pipeline/build/flux-words.ts'
import { shortId } from '../../../../pipeline/build/decrypt-objects.ts'
import { isSubstitutionDisabled } from '../../../../pipeline/build/substitute-objects.ts'
import { isRefusal } from '../../../kube/api-error.ts'
import type { EngineContext } from '../../context.ts'
import { cleanPath } from '../../../../pipeline/source/safe-path.ts'
import type { SourceSnapshot } from '../../source-store.ts'
import { buildSource, ROOT } from './build-source.ts'
import { fetchDecryption } from './decryption.ts'
import { hashJson } from '../apply/live-objects.ts'
import { openRemoteBases } from './remote-bases.ts'
import { isFolder, sameAnswers, type Reads } from './source-tree.ts'
import { fetchVariables } from './variables.ts'

/** A build, and what it was made from: as long as both stay the same it need not be made again. */
export type BuildMemory = {
  /** '' when something from elsewhere went into it: it is made anew each time. */
  readonly specHash: string
  readonly reads: Reads
  readonly objects: readonly KubeObject[]
  /** What is probably a mistake (docs/warnings.md), a line each; each is logged once. */
  readonly warnings: readonly string[]
  /** sha256 of the built manifests. */
  readonly digest: string
}

/** A folder of a source, as it is now. */
export type SourceFolder = { readonly snapshot: SourceSnapshot; readonly path: string }

/** Finds `spec.path` in the source. */
export function findFolder(
  context: EngineContext,
  { namespace: own, name: ownName, sourceRef: { kind, namespace, name }, path: written }: Kustomization,
): SourceFolder | { readonly failure: StepFailure } {
  const snapshot = context.sources.get(kind, namespace, name)
  const path = cleanPath(written)
  if (snapshot && isFolder(snapshot, path)) return { snapshot, path }
  if (snapshot?.files.has(path)) return { failure: notFolder(context, path) }
  const message = `kustomization path not found: stat ${shown(context, `${ROOT}/${path}`)}: no such file or directory`
  const near = nearest(path, snapshot ? foldersOf(snapshot) : [], 1)
  const advice = near[0] === undefined ? '' : `; did you mean "./${near[0]}"?`
  const cause = `${message} (spec.path of Kustomization ${own}/${ownName}${advice})`
  return { failure: { phase: 'Fetching manifests', reason: 'ArtifactFailed', message, cause } }
}

/** As many as are compared with a misspelt path. */
const MOST_FOLDERS = 2_000

/** The folders that hold files. */
function foldersOf({ files }: SourceSnapshot): readonly string[] {
  const folders = new Set<string>()
  for (const file of files.keys()) {
    const end = file.lastIndexOf('/')
    if (end > 0) folders.add(file.slice(0, end))
  }
  return [...folders].slice(0, MOST_FOLDERS)
}

/** Flux tries to write a kustomization file into the file. */
function notFolder({ traps }: EngineContext, path: string): StepFailure {
  const fault = `${ROOT}/${path}/kustomization.yaml: not a directory`
  const message =
    traps === 'flux'
      ? `open ${fault} remove ${fault}`
      : `kustomization path is no folder: "${path}" is a file; name the folder that it is in`
  return { phase: 'Building manifests', reason: 'BuildFailed', message }
}

/** Builds what a Kustomization describes, or answers what was wrong. A build whose files and fields have not changed is the one from before. */
export async function buildManifests(
  context: EngineContext,
  before: BuildMemory | undefined,
  kustomization: Kustomization,
  { snapshot, path }: SourceFolder,
): Promise<BuildMemory | { readonly failure: StepFailure }> {
  const { namespace, name } = kustomization.sourceRef
  const bases = context.flags.remoteBases ? openRemoteBases(context, kustomization.timeoutMs) : undefined
  try {
    const decryption = await fetchDecryption(context, kustomization)
    const fetched = await fetchVariables(context.client, kustomization)
    const substitution = 'missing' in fetched ? undefined : fetched.substitution
    const specHash = hashJson([kustomization.spec, namespace, name, substitution ?? null, decryption?.keyHash ?? null])
    const isKnown = before?.specHash === specHash && sameAnswers(snapshot, before.reads)
    if (isKnown && !('missing' in fetched)) return before
    const input = {
      snapshot,
      path,
      kustomization,
      traps: context.traps,
      substitution,
      decryption,
      remote: bases?.remote,
    }
    const { objects, yaml, reads, findings } = await buildSource(input)
    if ('missing' in fetched) throw missingVariables(objects, fetched.missing)
    const warnings = context.traps === 'flux' ? [] : findings.map((finding) => shown(context, oneLine(finding)))
    const known = new Set(before?.warnings)
    for (const line of warnings)
      if (!known.has(line)) context.log(`Kustomization ${kustomization.namespace}/${kustomization.name}: ${line}`)
    const isChanged = substitution !== undefined || decryption !== undefined
    return {
      specHash: bases?.isUsed() === true ? '' : specHash,
      reads,
      objects,
      warnings,
      digest: digestOf(isChanged ? objects.map(dump).join('---\n') : yaml),
    }
  } catch (error) {
    const failed = (message: string) =>
      ({ failure: { phase: 'Building manifests', reason: 'BuildFailed', message } }) as const
    if (isRefusal(error)) return failed(error.message)
    if (!(error instanceof SluiceError)) throw error
    const text = flatten(error)
    return failed(context.traps === 'flux' ? text : shown(context, await placed(snapshot, error, text)))
  } finally {
    bases?.close()
  }
}

/** The trees of what a Kustomization describes, with where each value came from; none where it does not build. */
export async function buildTrees(
  context: EngineContext,
  kustomization: Kustomization,
  { snapshot, path }: SourceFolder,
): Promise<readonly YamlMap[]> {
  const bases = context.flags.remoteBases ? openRemoteBases(context, kustomization.timeoutMs) : undefined
  const { traps } = context
  try {
    const decryption = await fetchDecryption(context, kustomization)
    const input = { snapshot, path, kustomization, traps, substitution: undefined, decryption, remote: bases?.remote }
    return (await buildSource({ ...input, origin: true })).trees
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return []
  } finally {
    bases?.close()
  }
}

function oneLine({ code, message, where, hint }: Finding): string {
  return `warning: ${where === undefined ? '' : `${where}: `}${message} (${hint}) [${code}]`
}

/** Steps before and after kustomize's own say so themselves. */
const OWN_WORDS =
  /^(failed to decode Kubernetes (?:YAML|apiVersion)|error (?:unmarshaling|converting)|component path|post build failed|kustomize build failed|decryption failed|error decrypting|failed to import|secrets ")/

/** The text that Flux shows for a build that failed. */
function flatten({ message }: SluiceError): string {
  const words = fluxWords(message)
  return OWN_WORDS.test(words) ? words : `kustomize build failed: ${words}`
}

/** The text with what Flux leaves out: the file and line before it, what to do behind it. */
async function placed(snapshot: SourceSnapshot, { where, hint }: SluiceError, text: string): Promise<string> {
  const place = where !== undefined && /:\d+$|^spec\.\w+\[/.test(where) ? `${where}: ` : ''
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

function missingVariables(objects: readonly KubeObject[], { kind, name }: SubstituteReference): SluiceError {
  const first = objects.find((object) => !isSubstitutionDisabled(object))
  const id = first ? shortId(first) : ''
  const plural = kind === 'Secret' ? 'secrets' : 'configmaps'
  return new SluiceError(
    'SECRET_MISSING',
    `post build failed for '${id}': substitute from '${kind}/${name}' error: ${plural} "${name}" not found`,
    { retry: 'backoff', where: 'spec.postBuild.substituteFrom' },
  )
}

/** Safe messages name files from the root of the repository; Flux's name its work folder. */
export function shown({ traps }: EngineContext, message: string): string {
  return traps === 'flux' ? message : message.replaceAll(`${ROOT}/`, '').replaceAll(ROOT, '.')
}
