import type { KubeObject } from '../lib/kube/object.ts'
import { readList, readText } from '../lib/kube/read.ts'
import { durationField, isSuspended, optionalText, textList, textMap } from './flux-object.ts'

/** A Provider of any version: where notifications go. */
export type Provider = {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly type: string
  readonly address: string
  readonly channel: string
  readonly username: string
  readonly timeoutMs: number
  readonly secretName: string | undefined
  readonly certSecretName: string | undefined
  /** Old: the address of a proxy, in the open. */
  readonly proxy: string
  readonly proxySecretName: string | undefined
  readonly serviceAccountName: string
  /** CEL that names the commit status; '' for the usual name. */
  readonly commitStatusExpr: string
  readonly isSuspended: boolean
}

/** Which objects an Alert listens to. */
export type EventSource = {
  readonly kind: string
  readonly name: string
  readonly namespace: string
  readonly matchLabels: Readonly<Record<string, string>>
}

/** An Alert of any version: which events go to which Provider. */
export type Alert = {
  readonly apiVersion: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  readonly providerName: string
  readonly severity: 'info' | 'error'
  readonly sources: readonly EventSource[]
  readonly inclusionList: readonly string[]
  readonly exclusionList: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  readonly summary: string
  readonly isSuspended: boolean
}

const DEFAULT_TIMEOUT_MS = 15_000

/**
 * Reads a Provider of any API version that Flux ever served.
 *
 * @throws SluiceError OBJECT_INVALID for a duration that is none
 */
export function parseProvider(object: KubeObject): Provider {
  return {
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
    uid: object.metadata.uid ?? '',
    type: readText(object, 'spec', 'type'),
    address: readText(object, 'spec', 'address'),
    channel: readText(object, 'spec', 'channel'),
    username: readText(object, 'spec', 'username'),
    timeoutMs: durationField(object, 'timeout') ?? DEFAULT_TIMEOUT_MS,
    secretName: optionalText(object, 'spec', 'secretRef', 'name'),
    certSecretName: optionalText(object, 'spec', 'certSecretRef', 'name'),
    proxy: readText(object, 'spec', 'proxy'),
    proxySecretName: optionalText(object, 'spec', 'proxySecretRef', 'name'),
    serviceAccountName: readText(object, 'spec', 'serviceAccountName'),
    commitStatusExpr: readText(object, 'spec', 'commitStatusExpr'),
    isSuspended: isSuspended(object),
  }
}

/** Reads an Alert of any API version that Flux ever served. */
export function parseAlert(object: KubeObject): Alert {
  const namespace = object.metadata.namespace ?? ''
  return {
    apiVersion: object.apiVersion,
    namespace,
    name: object.metadata.name,
    uid: object.metadata.uid ?? '',
    resourceVersion: object.metadata.resourceVersion ?? '',
    providerName: readText(object, 'spec', 'providerRef', 'name'),
    severity: readText(object, 'spec', 'eventSeverity') === 'error' ? 'error' : 'info',
    sources: readList(object, 'spec', 'eventSources').map((source) => ({
      kind: readText(source, 'kind'),
      name: readText(source, 'name'),
      namespace: readText(source, 'namespace') || namespace,
      matchLabels: textMap(source, 'matchLabels'),
    })),
    inclusionList: textList(object, 'spec', 'inclusionList'),
    exclusionList: textList(object, 'spec', 'exclusionList'),
    metadata: textMap(object, 'spec', 'eventMetadata'),
    summary: readText(object, 'spec', 'summary'),
    isSuspended: isSuspended(object),
  }
}
