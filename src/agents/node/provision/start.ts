import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../adapters/clock.ts'
import { ApiError } from '../../../adapters/kube/api-error.ts'
import type { KubeClient, WatchCache } from '../../../adapters/kube/types.ts'
import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import { onceMore } from '../again.ts'
import type { Recorder } from '../events.ts'
import { type Claim, isToEnd, isToProvision, refusalOf, type Volume, volumeFor, volumeName } from './plan.ts'

type StorageClass = KubeObject & { readonly reclaimPolicy?: string }

type Options = {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'delete'>
  readonly clock: Pick<Clock, 'after'>
  readonly claims: Pick<WatchCache, 'list' | 'onChange'>
  readonly volumes: Pick<WatchCache, 'list' | 'get' | 'onChange'>
  readonly node: string
  /** Where the folders are made. */
  readonly folder: string
  readonly record: Recorder
  readonly log: (line: string) => void
}

/** What failed is tried again after so long. */
const AGAIN_MS = 5_000

/** Makes folders of this machine for the claims that ask for one, and ends them with their claims. */
export function startProvisioner(o: Options): { readonly close: () => void } {
  let isClosed = false
  const refused = new Set<string>()
  const { wake } = onceMore(async () => {
    if (isClosed) return
    const claims = o.claims.list().filter((claim: Claim) => isToProvision(claim, o.node))
    const ended = o.volumes.list().filter((volume: Volume) => isToEnd(volume, o.node))
    let isDone = true
    for (const claim of claims)
      isDone = (await attempt(o, `claim ${claim.metadata.name}`, () => provision(o, claim, refused))) && isDone
    for (const volume of ended)
      isDone = (await attempt(o, `volume ${volume.metadata.name}`, () => end(o, volume))) && isDone
    if (!isDone) o.clock.after(AGAIN_MS, wake)
  })
  const stops = [o.claims.onChange(wake), o.volumes.onChange(wake)]
  wake()
  return {
    close() {
      isClosed = true
      for (const stop of stops) stop()
    },
  }
}

/** Answers whether there is nothing to try again. */
async function attempt(o: Options, what: string, act: () => Promise<void>): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.reason === 'AlreadyExists')) return true
    o.log(`node ${o.node}: ${what}: ${error instanceof Error ? error.message : String(error)}`)
    return false
  }
}

async function provision(o: Options, claim: Claim, refused: Set<string>): Promise<void> {
  const { name, namespace, uid = '' } = claim.metadata
  const refusal = refusalOf(claim)
  if (refusal !== undefined) {
    if (refused.has(uid)) return
    refused.add(uid)
    return o.record(claim, 'Warning', 'ProvisioningFailed', `failed to provision volume: ${refusal}`)
  }
  if (o.volumes.get('', volumeName(claim)) !== undefined) return
  o.record(
    claim,
    'Normal',
    'Provisioning',
    `External provisioner is provisioning volume for claim "${namespace}/${name}"`,
  )
  const path = join(o.folder, volumeName(claim))
  mkdirSync(path, { recursive: true })
  // whoever the pod runs as may write: nobody else gets into the folder above
  chmodSync(path, 0o777)
  const className = claim.spec?.storageClassName ?? ''
  const ref = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', namespace: '', name: className }
  const storageClass: StorageClass | undefined = await o.client.get(ref)
  const reclaimPolicy = storageClass?.reclaimPolicy ?? 'Delete'
  await o.client.create(volumeFor(claim, path, o.node, reclaimPolicy), { fieldManager: 'sluice-node' })
  o.record(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volumeName(claim)}`)
}

/** The folder is found by the volume's name, never by what the object says of its place. */
async function end(o: Options, volume: Volume): Promise<void> {
  const { name, uid } = volume.metadata
  rmSync(join(o.folder, name), { recursive: true, force: true })
  await o.client.delete(refOf(volume), uid === undefined ? {} : { uid })
}
