import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describeError, SluiceError } from '../../../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../../../lib/kube/object.ts'
import { safePath } from '../../../../lib/tar/entry.ts'
import { makeFolder } from '../../../../machine/make-folder.ts'
import type { Bind } from '../../driver.ts'
import type { Credential } from './certificates.ts'
import type { ClaimedVolume } from './claims.ts'
import { give, showFiles, type VolumeFile } from './atomic-files.ts'
import { expandVariables } from './env.ts'
import { fieldValue, namedContainer, resourceValue } from './fields.ts'
import type {
  CertificateProjection,
  Container,
  DownwardFiles,
  FileItems,
  Pod,
  Projection,
  Volume,
  VolumeMount,
} from '../shapes.ts'
import { subPathOf } from './sub-path.ts'
import { refused } from './volume-fault.ts'
import { trustAnchors, type TrustBundleWish } from '../trust-bundles.ts'
import { own } from '../../../../lib/value/own.ts'

/** Files by key, as bytes. */
export type FileData = Readonly<Record<string, Buffer>>

/** Where volumes take their content from. */
export type VolumeSources = {
  readonly pod: Pod
  readonly ip: string
  readonly hostIp: string
  readonly configMap: (name: string) => FileData | undefined
  readonly secret: (name: string) => FileData | undefined
  /** A token for the pod's service account; undefined where the API server gives none. */
  readonly token: (asked: { readonly audience?: string; readonly expirationSeconds?: number }) => string | undefined
  /** The credential of a projection, by volume and number (`tls/0`), or why there is none yet. */
  readonly credential: (place: string) => Credential | { readonly missing: string }
  /** All of the cluster, or why they cannot be read; empty where no volume asks for any. */
  readonly trustBundles: readonly KubeObject[] | { readonly missing: string }
  /** What is behind the claims that volumes name. */
  readonly claimed: ReadonlyMap<string, ClaimedVolume>
}

/**
 * Makes the volumes of a pod below `folder`, a folder each; answers where each is. Content is written anew, what an emptyDir holds is kept.
 *
 * @throws SluiceError POD_VOLUME, naming the volume: unknown kinds are refused
 */
export function makeVolumes(folder: string, sources: VolumeSources): Map<string, string> {
  return new Map(
    (sources.pod.spec.volumes ?? []).map((volume) => [
      volume.name,
      makeVolume(join(folder, volume.name), volume, sources),
    ]),
  )
}

/** Makes the volumes anew, each for itself: the fault of one holds up no other. Answers the faults. */
export function renewVolumes(folder: string, sources: VolumeSources): readonly unknown[] {
  return (sources.pod.spec.volumes ?? []).flatMap((volume) => {
    try {
      makeVolume(join(folder, volume.name), volume, sources)
      return []
    } catch (error) {
      return [error]
    }
  })
}

/** Finds what is at `inner` of a volume, or makes a folder there; rejects with SluiceError POD_VOLUME when it leads out. */
export type FindInner = (volume: string, root: string, inner: string) => Promise<string>

/** The binds of a container's mounts. @throws SluiceError POD_VOLUME */
export async function bindsOf(
  container: Container,
  volumes: ReadonlyMap<string, string>,
  readOnlyVolumes: ReadonlySet<string>,
  env: ReadonlyMap<string, string>,
  findInner: FindInner = async (volume, root, inner) => subPathOf(root, inner, volume),
): Promise<Bind[]> {
  const bindOf = async (mount: VolumeMount): Promise<Bind> => {
    const root = volumes.get(mount.name)
    if (root === undefined)
      throw refused(mount.name, `container ${container.name} mounts a volume that the pod does not have`)
    const inner = mount.subPath ?? expandPath(mount.subPathExpr ?? '', env)
    const source = inner === '' ? root : await findInner(mount.name, root, inner)
    return { source, target: mount.mountPath, readOnly: mount.readOnly === true || readOnlyVolumes.has(mount.name) }
  }
  const binds: Bind[] = []
  // one after the other: the first fault is told, and the same folder is not made twice
  for (const mount of container.volumeMounts ?? []) binds.push(await bindOf(mount))
  return binds
}

/** Binds in the order in which they are mounted: what is below another comes after it, else it would be out of sight; as written otherwise. */
export function inMountOrder(binds: readonly Bind[]): readonly Bind[] {
  const depthOf = ({ target }: Bind): number => target.split('/').filter((part) => part !== '').length
  return [...binds].sort((a, b) => depthOf(a) - depthOf(b))
}

/**
 * The text of a file of a volume, which may not lead out of it. Containers write there meanwhile: what is judged is the open file, and a
 * pipe or a device, which might never end, is not read.
 *
 * @throws SluiceError POD_CONFIG naming it
 */
export function readVolumeFile(volumes: ReadonlyMap<string, string>, volume: string, path: string): string {
  const root = volumes.get(volume)
  const fail = (why: string): SluiceError =>
    new SluiceError('POD_CONFIG', `couldn't parse env file: ${why} "${path}" of volume "${volume}"`, {
      retry: 'backoff',
    })
  if (root === undefined)
    throw new SluiceError('POD_CONFIG', `cannot find the volume "${volume}" referenced by FileKeyRef`)
  try {
    const home = join(realpathSync(root), '/')
    const real = realpathSync(join(root, path))
    if (!real.startsWith(home)) throw fail(LEADS_OUT)
    const file = openSync(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    try {
      // a folder on the way may have become a link since
      if (process.platform === 'linux' && !readlinkSync(`/proc/self/fd/${file}`).startsWith(home)) throw fail(LEADS_OUT)
      if (!fstatSync(file).isFile()) throw fail('there is no regular file at')
      const bytes = readAtMost(file, MOST_FILE_BYTES + 1)
      if (bytes.length > MOST_FILE_BYTES) throw fail(`more than ${MOST_FILE_BYTES} bytes are in`)
      return bytes.toString('utf8')
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (error instanceof SluiceError) throw error
    throw fail('cannot read')
  }
}

const LEADS_OUT = 'there leads a link out of the volume at'

function readAtMost(file: number, most: number): Buffer {
  const bytes = Buffer.alloc(most)
  let length = 0
  for (let read = -1; read !== 0 && length < most; length += read)
    read = readSync(file, bytes, length, most - length, null)
  return bytes.subarray(0, length)
}

/** The most that is read of a file for a variable. */
const MOST_FILE_BYTES = 1024 * 1024

/** Volumes that the API fills and nobody writes to, and those that are claimed for reading. */
export function readOnlyVolumes(pod: Pod): Set<string> {
  const filled = (pod.spec.volumes ?? []).filter(
    (v) => v.image ?? v.configMap ?? v.secret ?? v.downwardAPI ?? v.projected ?? v.persistentVolumeClaim?.readOnly,
  )
  return new Set(filled.map(({ name }) => name))
}

function makeVolume(path: string, volume: Volume, sources: VolumeSources): string {
  const { emptyDir, hostPath, image, configMap, secret, downwardAPI, projected } = volume
  if (hostPath) return hostPathOf(volume.name, hostPath)
  const claimed = sources.claimed.get(volume.name)
  if (claimed !== undefined) {
    if ('refused' in claimed) throw refused(volume.name, claimed.refused)
    return hostPathOf(volume.name, claimed)
  }
  const group = sources.pod.spec.securityContext?.fsGroup
  if (emptyDir) return makeEmptyDir(path, group)
  mkdirSync(path, { recursive: true })
  // empty until the driver shows the image in it
  if (image) return path
  const parts: Projection[] | undefined = configMap
    ? [{ configMap }]
    : secret
      ? [{ secret: { name: secret.secretName ?? '', ...secret } }]
      : downwardAPI
        ? [{ downwardAPI }]
        : projected
          ? [...(projected.sources ?? [])]
          : undefined
  if (parts === undefined) {
    const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'nothing'
    throw refused(volume.name, `volumes of kind ${kind} are not supported by this node`)
  }
  const mode = (configMap ?? secret ?? downwardAPI ?? projected)?.defaultMode ?? 0o644
  const isApiAccess = volume.name.startsWith('kube-api-access-')
  const files = new Map<string, VolumeFile>()
  for (const [at, part] of parts.entries())
    for (const file of filesOf(part, sources, { volume: volume.name, at, isApiAccess })) {
      const safe = safePath(file.path)
      if (!safe) throw refused(volume.name, `"${file.path}" leaves the volume`)
      files.set(safe, { path: safe, content: file.content, mode: file.mode ?? mode })
    }
  showFiles(path, [...files.values()], group)
  give(path, group)
  chmodSync(path, group === undefined ? 0o755 : 0o2755)
  return path
}

/** A folder for what containers write, under its name only when it is whoever's it is to be: what is there already is theirs, and stays. */
function makeEmptyDir(path: string, group: number | undefined): string {
  if (existsSync(path)) return path
  const unfinished = `${path}.new`
  mkdirSync(unfinished, { recursive: true })
  give(unfinished, group)
  chmodSync(unfinished, group === undefined ? 0o777 : 0o2777)
  renameSync(unfinished, path)
  return path
}

type OneFile = { readonly path: string; readonly content: Buffer; readonly mode?: number }

type Where = { readonly volume: string; readonly at: number; readonly isApiAccess: boolean }

function filesOf(part: Projection, sources: VolumeSources, { volume, at, isApiAccess }: Where): OneFile[] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = part
  if (configMap) {
    const data = readFor(volume, () => sources.configMap(configMap.name ?? ''))
    return pick('configmap', configMap, data, volume, isApiAccess)
  }
  if (secret) {
    const data = readFor(volume, () => sources.secret(secret.name ?? ''))
    return pick('secret', secret, data, volume, false)
  }
  if (downwardAPI) return downward(downwardAPI, sources)
  if (clusterTrustBundle) return anchors(clusterTrustBundle, sources, volume)
  if (podCertificate) return credentialFiles(podCertificate, sources, volume, at)
  if (!serviceAccountToken)
    throw refused(
      volume,
      `projections of kind ${Object.keys(part).join(', ') || 'nothing'} are not supported by this node`,
    )
  const token = sources.token(serviceAccountToken)
  // files that are shown already stay as they are
  if (token === undefined) throw refused(volume, 'the API server gives no token for the service account of the pod')
  return [{ path: serviceAccountToken.path, content: Buffer.from(token), ...secretMode(sources) }]
}

function readFor(volume: string, read: () => FileData | undefined): FileData | undefined {
  try {
    return read()
  } catch (error) {
    throw refused(volume, describeError(error))
  }
}

/** Who has a group for its volumes reads what is secret by it, and nobody else does. */
function secretMode({ pod }: VolumeSources): { readonly mode?: number } {
  return pod.spec.securityContext?.fsGroup === undefined ? {} : { mode: 0o600 }
}

function credentialFiles(wish: CertificateProjection, sources: VolumeSources, volume: string, at: number): OneFile[] {
  const found = sources.credential(`${volume}/${at}`)
  if ('missing' in found) throw refused(volume, found.missing)
  const { credentialBundlePath, keyPath, certificateChainPath } = wish
  const files: [path: string | undefined, content: string][] = [
    [credentialBundlePath, found.key + found.chain],
    [keyPath, found.key],
    [certificateChainPath, found.chain],
  ]
  return files.flatMap(([path, content]) =>
    path ? [{ path, content: Buffer.from(content), ...secretMode(sources) }] : [],
  )
}

function anchors(wish: TrustBundleWish, { trustBundles }: VolumeSources, volume: string): OneFile[] {
  const found = 'missing' in trustBundles ? trustBundles : trustAnchors(wish, trustBundles)
  if (typeof found !== 'string') throw refused(volume, found.missing)
  return [{ path: wish.path, content: Buffer.from(found) }]
}

const NAME_OF_KEY = { configmap: 'config key', secret: 'secret key' } as const

function pick(
  kind: keyof typeof NAME_OF_KEY,
  ref: { readonly name?: string; readonly optional?: boolean } & FileItems,
  data: FileData | undefined,
  volume: string,
  mayMiss: boolean,
): OneFile[] {
  if (data === undefined && (ref.optional === true || mayMiss)) return []
  if (data === undefined) throw refused(volume, `${kind} "${ref.name}" not found`)
  if (ref.items === undefined) return Object.entries(data).map(([path, content]) => ({ path, content }))
  return ref.items.flatMap(({ key, path, mode }) => {
    const content = data[key]
    if (content === undefined && ref.optional !== true)
      throw refused(
        volume,
        `${kind === 'secret' ? '' : `${kind} `}references non-existent ${NAME_OF_KEY[kind]}: ${key}`,
      )
    return content === undefined ? [] : [{ path, content, ...(mode === undefined ? {} : { mode }) }]
  })
}

function downward({ items }: DownwardFiles, { pod, ip, hostIp }: VolumeSources): OneFile[] {
  return (items ?? []).map(({ path, mode, fieldRef, resourceFieldRef }) => {
    const value = fieldRef
      ? fieldValue(pod, fieldRef.fieldPath, ip, hostIp)
      : resourceValue(namedContainer(pod, resourceFieldRef ?? {}), resourceFieldRef ?? { resource: '' })
    return { path, content: Buffer.from(value), ...(mode === undefined ? {} : { mode }) }
  })
}

/** Folders that are asked for are made; what is there must be what is asked for. Where nothing is asked, container runtimes make the folder too. */
function hostPathOf(name: string, { path, type = '' }: { readonly path: string; readonly type?: string }): string {
  const isThere = existsSync(path)
  if (!isThere) makeHostPath(name, path, type)
  const [expected, isKind] = own(HOST_PATHS, type) ?? []
  if (type !== '' && expected === undefined) throw refused(name, `${type} is an invalid volume type`)
  if (isKind?.(statSync(path, { throwIfNoEntry: false })) === false)
    throw refused(name, `hostPath type check failed: ${path} is not a ${expected}`)
  return realpathSync(path)
}

function makeHostPath(volume: string, path: string, type: string): void {
  try {
    if (['', 'DirectoryOrCreate'].includes(type)) makeFolder(path)
    if (type === 'FileOrCreate') writeFileSync(path, '')
  } catch (error) {
    throw refused(volume, `hostPath cannot be made: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const isFolder = (stats: Stats | undefined): boolean => stats?.isDirectory() === true
const isFile = (stats: Stats | undefined): boolean => stats?.isFile() === true
const HOST_PATHS: Readonly<Record<string, readonly [string, (stats: Stats | undefined) => boolean]>> = {
  Directory: ['directory', isFolder],
  DirectoryOrCreate: ['directory', isFolder],
  File: ['file', isFile],
  FileOrCreate: ['file', isFile],
  Socket: ['socket file', (stats) => stats?.isSocket() === true],
  CharDevice: ['character device', (stats) => stats?.isCharacterDevice() === true],
  BlockDevice: ['block device', (stats) => stats?.isBlockDevice() === true],
}

/** A path of which every variable is known. */
function expandPath(expression: string, env: ReadonlyMap<string, string>): string {
  const missing = [...expression.matchAll(/\$(?:\$|\(([^)]*)\))/g)].flatMap(([, name]) =>
    name === undefined || env.get(name) ? [] : [name],
  )
  if (missing.length === 0) return expandVariables(expression, env)
  throw new SluiceError('POD_CONFIG', `missing value for ${[...new Set(missing)].sort().join(', ')}`)
}
