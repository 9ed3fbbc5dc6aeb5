import type { SharedCaches } from '../adapters/kube/shared-caches.ts'
import { describeError } from '../lib/error/sluice-error.ts'
import type { Closers } from '../lib/concurrency/closers.ts'
import type { Cluster } from './cluster.ts'
import { listServices } from './services.ts'
import { ACCESS_FILE, type Access } from './state/access.ts'
import type { StateFolder } from './state/state-folder.ts'

const RETRY_MS = 1_000

type AccessNeeds = {
  readonly folder: StateFolder
  readonly cluster: Cluster
  readonly caches: SharedCaches
  readonly log: (line: string) => void
}

/**
 * Writes access.json now, and again whenever the services change; removes it at the close. What a full disk refuses later is tried again.
 *
 * @throws SluiceError STATE_UNWRITABLE when it cannot be written now
 */
export function keepAccess(
  { folder, cluster, caches, log }: AccessNeeds,
  urls: Pick<Access, 'git' | 'registry' | 'page' | 'receivers'>,
  closers: Closers,
): () => Access {
  const services = caches.open({ apiVersion: 'v1', kind: 'Service' })
  const kube = { server: cluster.server, kubeconfig: cluster.kubeconfig, token: cluster.token }
  const current = (): Access => ({ ...urls, kube, services: listServices(services, cluster.serviceUrl) })
  let written = ''
  let again: NodeJS.Timeout | undefined
  let soon: NodeJS.Immediate | undefined
  const write = (): void => {
    const access = current()
    const text = JSON.stringify(access)
    if (text === written) return
    folder.write(ACCESS_FILE, access)
    written = text
  }
  const writeOrRetry = (): void => {
    clearTimeout(again)
    try {
      write()
    } catch (error) {
      log(describeError(error))
      again = setTimeout(writeOrRetry, RETRY_MS)
    }
  }
  // The node follows the same changes: what it answers then is of after all of them.
  const writeSoon = (): void => {
    soon ??= setImmediate(() => {
      soon = undefined
      writeOrRetry()
    })
  }
  write()
  const stop = caches.open({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }).onChange(writeSoon)
  closers.add(() => {
    stop()
    clearImmediate(soon)
    clearTimeout(again)
    folder.remove(ACCESS_FILE)
  })
  return current
}
