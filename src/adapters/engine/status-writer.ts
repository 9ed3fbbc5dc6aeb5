import { isDeepStrictEqual } from 'node:util'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import type { KubeObject } from '../../lib/kube/object.ts'
import { describeRef, refOf } from '../../lib/kube/object.ts'
import { read } from '../../lib/kube/read.ts'
import { ApiError, isRefusal } from '../kube/api-error.ts'
import type { KubeClient } from '../kube/types.ts'

/**
 * Objects of one kind as this engine knows them: what the watch shows, or what the engine has written itself when the watch has not shown it yet.
 * Without it a controller would read its own past.
 */
export type ObjectView = {
  readonly get: (key: string) => KubeObject | undefined
  /** Remembers an object that the API server has answered with. */
  readonly put: (key: string, object: KubeObject) => void
  readonly drop: (key: string) => void
  /** The watch shows what this engine has written and knows: nothing new. */
  readonly isOwnWrite: (key: string, seen: KubeObject) => boolean
}

/** Lays an engine's own writes over a watch. */
export function overlayView(find: (namespace: string, name: string) => KubeObject | undefined): ObjectView {
  const written = new Map<string, KubeObject>()
  return {
    get(key) {
      const slash = key.indexOf('/')
      const seen = find(key.slice(0, slash), key.slice(slash + 1))
      const own = written.get(key)
      if (own === undefined) return seen
      if (seen !== undefined && seen.metadata.uid === own.metadata.uid && versionNumber(seen) < versionNumber(own))
        return own
      written.delete(key)
      return seen
    },
    put: (key, object) => void written.set(key, object),
    drop: (key) => void written.delete(key),
    isOwnWrite(key, seen) {
      const own = written.get(key)?.metadata
      return own !== undefined && own.uid === seen.metadata.uid && own.resourceVersion === seen.metadata.resourceVersion
    },
  }
}

function versionNumber(object: KubeObject): number {
  return Number(object.metadata.resourceVersion ?? 0)
}

/** The key of an object: `namespace/name`. */
export function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}

/**
 * Writes a status in one request, or none when it is what the object shows already. Fields that are undefined are taken away.
 *
 * @returns the object as the server has it now; `undefined` when it is gone
 * @throws SluiceError STATUS_REFUSED: it is not taken, however often it is written; ApiError for what passes, a lack of rights too
 */
export async function writeStatus(
  client: KubeClient,
  object: KubeObject,
  status: Readonly<Record<string, unknown>>,
  fieldManager: string,
): Promise<KubeObject | undefined> {
  const wanted = JSON.parse(JSON.stringify(status)) as Record<string, unknown>
  const shown = read(object, 'status')
  if (isDeepStrictEqual(shown ?? {}, wanted)) return object
  const patch = [{ op: shown === undefined ? 'add' : 'replace', path: '/status', value: wanted }]
  try {
    return await client.patch(refOf(object), 'json', patch, { fieldManager, subresource: 'status' })
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined
    // a right that is lacking may come, with the server's own start or a rotated token: what was found is owed until then
    if (!isRefusal(error) || error.status === 401 || error.status === 403) throw error
    const message = `the status of ${describeRef(refOf(object))} is not taken: ${error.message}`
    throw new SluiceError('STATUS_REFUSED', message, { retry: 'spec', cause: error })
  }
}

/** Puts finalizers on an object or takes them off, guarded by its version. `undefined` when it is gone. */
export async function writeFinalizers(
  client: KubeClient,
  object: KubeObject,
  finalizers: readonly string[],
  fieldManager: string,
): Promise<KubeObject | undefined> {
  const { resourceVersion } = object.metadata
  const patch = { metadata: { resourceVersion, finalizers: finalizers.length > 0 ? finalizers : null } }
  try {
    return await client.patch(refOf(object), 'merge', patch, { fieldManager })
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined
    if (error instanceof ApiError && error.status === 409) return await client.get(refOf(object))
    throw error
  }
}
