import { posix } from 'node:path'
import type { Kustomization } from '../../../../kinds/kustomization.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import type { Finding } from '../../../../lib/kustomize/findings.ts'
import type { Remote } from '../../../../lib/kustomize/files/remote.ts'
import type { KubeObject } from '../../../../lib/kube/object.ts'
import type { YamlMap } from '../../../../lib/yaml/nodes.ts'
import { buildKustomization, encryptedSourcesOf } from '../../../../pipeline/build/build-kustomization.ts'
import { decryptObjects } from '../../../../pipeline/build/decrypt-objects.ts'
import { substituteObjects, type Substitution } from '../../../../pipeline/build/substitute-objects.ts'
import { eachLimited } from '../../each-limited.ts'
import type { SourceSnapshot } from '../../source-store.ts'
import type { Decryption } from './decryption.ts'
import { MissingRemote } from './remote-bases.ts'
import { filesIn, MissingBytes, recordTree, type Reads, type RecordedTree } from './source-tree.ts'

/** Where a source seems to lie for the build: errors name files below it, as Flux's name its work folder. */
export const ROOT = '/tmp/kustomization-1000000000'

/** What is built, and with what. */
export type SourceBuild = {
  readonly snapshot: SourceSnapshot
  readonly path: string
  readonly kustomization: Kustomization
  readonly traps: 'safe' | 'flux'
  readonly substitution: Substitution | undefined
  readonly decryption: Decryption | undefined
  /** Keeps where each value of `trees` came from. */
  readonly origin?: boolean
  /** Brings remote bases; without it they are refused. */
  readonly remote?: Remote | undefined
}

/** The objects, decrypted and with their variables filled in; what kustomize printed; what was asked of the source. */
export type Built = {
  readonly objects: readonly KubeObject[]
  readonly yaml: string
  readonly findings: readonly Finding[]
  readonly trees: readonly YamlMap[]
  readonly reads: Reads
}

const FILES_AT_ONCE = 64
const MOST_LOADS = 1000

/**
 * Builds what a Kustomization describes: encrypted files are opened before kustomize reads them, encrypted objects after, then variables are filled in.
 *
 * @throws SluiceError of the step that failed
 */
export async function buildSource(input: SourceBuild): Promise<Built> {
  const { snapshot, path, kustomization, traps, decryption, substitution, remote, origin = false } = input
  const bytes = new Map<string, Uint8Array>()
  await load(snapshot, path, bytes)
  const spec = { ...kustomization.spec, commonMetadata: undefined }
  const opened = new Map<string, Uint8Array>()
  if (decryption) {
    const sources = await withFiles(snapshot, bytes, opened, ({ tree }) =>
      encryptedSourcesOf({ tree, root: ROOT, path, spec }),
    )
    for (const source of sources.result) opened.set(posix.relative(ROOT, source.path), await open(decryption, source))
  }
  const { result, reads } = await withFiles(snapshot, bytes, opened, ({ tree }) =>
    buildKustomization({ tree, root: ROOT, path, spec, traps, origin, ...(remote ? { remote } : {}) }),
  )
  const objects = decryption ? await decryptObjects(result.objects, decryption.decrypt) : result.objects
  return {
    objects: substitution ? substituteObjects(objects, { ...substitution, traps }) : objects,
    yaml: result.yaml,
    findings: result.findings,
    trees: result.trees,
    reads,
  }
}

async function open(
  { decrypt }: Decryption,
  { path, format, bytes }: ReturnType<typeof encryptedSourcesOf>[number],
): Promise<Uint8Array> {
  try {
    return await decrypt(bytes, format, format, true)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const { message, hint, retry } = error
    throw new SluiceError('SOPS_DECRYPT', `error decrypting sources: ${message}`, {
      retry,
      where: path,
      ...(hint === undefined ? {} : { hint }),
    })
  }
}

/** The build reads at once; what is not in memory is loaded, files with their neighbours, and it starts again. */
async function withFiles<Result>(
  snapshot: SourceSnapshot,
  bytes: Map<string, Uint8Array>,
  opened: ReadonlyMap<string, Uint8Array>,
  run: (recorded: RecordedTree) => Result,
): Promise<{ readonly result: Result; readonly reads: Reads }> {
  for (let loads = 0; loads < MOST_LOADS; loads++) {
    const recorded = recordTree(snapshot, ROOT, bytes, opened)
    try {
      return { result: run(recorded), reads: recorded.reads }
    } catch (error) {
      if (error instanceof MissingRemote) {
        await error.bring()
        continue
      }
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
  const named = missing === undefined ? undefined : snapshot.files.get(missing)
  const found = [...filesIn(snapshot, folder, missing === undefined), ...(named ? [named] : [])]
  const wanted = found.filter(({ hash }) => !bytes.has(hash))
  await eachLimited(wanted, FILES_AT_ONCE, async (file) => bytes.set(file.hash, await snapshot.read(file)))
}
