import type { KubeObject } from '../../lib/kube/object.ts'
import { isSuspended } from '../../kinds/flux-object.ts'
import { read, readText } from '../../lib/kube/read.ts'

/** What the embedded servers hold. */
export type Held = {
  /** Where the branches are: `<url> <branch>` -> commit. */
  readonly heads: ReadonlyMap<string, string>
  /** When an image was pushed to this process last: `host/name` -> milliseconds. */
  readonly pushedAtMs: ReadonlyMap<string, number>
  /** The host of our images, and when this process started: an earlier one may have ended between a push and its scan. */
  readonly registryHost: string
  readonly startedAtMs: number
}

/**
 * What the engine has not looked at yet since it changed: objects keep the health of an older commit or tag until then. Pure.
 *
 * @returns the first late object, for people; `undefined` when the engine has seen all
 */
export function notYetSeen(
  held: Held,
  sources: readonly KubeObject[],
  images: readonly KubeObject[],
): string | undefined {
  const source = sources.find((object) => !isSuspended(object) && isBehind(object, held))
  if (source) return `GitRepository ${nameOf(source)} to see the last push`
  const image = images.find((object) => !isSuspended(object) && isUnscanned(object, held))
  return image && `ImageRepository ${nameOf(image)} to see the last image`
}

function isBehind(source: KubeObject, { heads }: Held): boolean {
  const isPinned = ['tag', 'semver', 'commit', 'name'].some((way) => readText(source, 'spec', 'ref', way) !== '')
  if (isPinned) return false
  const head = heads.get(`${readText(source, 'spec', 'url')} ${readText(source, 'spec', 'ref', 'branch')}`)
  return head !== undefined && !String(read(source, 'status', 'artifact', 'revision')).endsWith(`:${head}`)
}

/** Scan times are whole seconds. */
function isUnscanned(repository: KubeObject, { pushedAtMs, registryHost, startedAtMs }: Held): boolean {
  const image = readText(repository, 'spec', 'image')
  if (!image.startsWith(`${registryHost}/`)) return false
  const scannedMs = Date.parse(readText(repository, 'status', 'lastScanResult', 'scanTime')) || 0
  const changedMs = pushedAtMs.get(image) ?? (scannedMs > 0 ? startedAtMs : 0)
  return scannedMs < Math.floor(changedMs / 1000) * 1000
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`
}
