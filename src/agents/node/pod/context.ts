import type { Clock } from '../../../adapters/clock.ts'
import type { KubeClient } from '../../../adapters/kube/types.ts'
import type { RegistryClient } from '../../../adapters/registry/client.ts'
import type { Credentials } from '../../../adapters/registry/session.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import type { Driver } from '../driver.ts'
import type { Recorder } from '../events.ts'
import type { PodCertificates } from './content/certificates.ts'
import type { Tokens } from './content/tokens.ts'

/** What all pods of a node share. */
export type NodeContext = {
  readonly client: KubeClient
  readonly clock: Clock
  /** The driver as it is now; another one after the processes that keep the pods were lost. */
  readonly driver: () => Driver
  readonly record: Recorder
  /** Services of a namespace, and that of the API server. */
  readonly services: (namespace: string) => readonly KubeObject[]
  readonly tokens: Tokens
  readonly certificates: PodCertificates
  /** A client of registries that logs in as somebody; to be closed. */
  readonly registryAs: (login: Credentials) => RegistryClient
  readonly log: (line: string) => void
}
