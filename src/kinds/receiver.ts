import type { KubeObject } from '../lib/kube/object.ts'
import { read, readList, readText } from '../lib/kube/read.ts'
import { intervalOf } from './duration.ts'
import {
  durationField,
  type FluxMeta,
  optionalText,
  parseFluxMeta,
  statusOf,
  textList,
  textMap,
} from './flux-object.ts'

/** An object that a hook wakes. */
export type ReceiverResource = {
  readonly apiVersion: string | undefined
  readonly kind: string
  readonly name: string
  readonly namespace: string
  /** Absent: none were given, which a name of `*` needs. */
  readonly matchLabels: Readonly<Record<string, string>> | undefined
  readonly filter: string
}

/** Whose tokens a `generic-oidc` receiver takes. */
export type OidcProvider = {
  readonly issuerUrl: string
  readonly audience: string
  readonly variables: readonly { readonly name: string; readonly expression: string }[]
  readonly validations: readonly { readonly expression: string; readonly message: string }[]
}

/** A Receiver of any version: a hook that makes objects reconcile at once. */
export type Receiver = FluxMeta & {
  readonly type: string
  readonly intervalMs: number
  readonly events: readonly string[]
  readonly resources: readonly ReceiverResource[]
  readonly resourceFilter: string
  readonly secretName: string | undefined
  readonly oidcProviders: readonly OidcProvider[]
  readonly webhookPath: string
  readonly status: Readonly<Record<string, unknown>>
}

const DEFAULT_INTERVAL_MS = 10 * 60_000
const DEFAULT_AUDIENCE = 'notification-controller'

/**
 * Reads a Receiver of any API version that Flux ever served.
 *
 * @throws SluiceError OBJECT_INVALID for a duration that is none
 */
export function parseReceiver(object: KubeObject): Receiver {
  const meta = parseFluxMeta(object)
  return {
    type: readText(object, 'spec', 'type'),
    intervalMs: intervalOf(durationField(object, 'interval') ?? DEFAULT_INTERVAL_MS),
    events: textList(object, 'spec', 'events'),
    resources: readList(object, 'spec', 'resources').map((resource) => ({
      apiVersion: optionalText(resource, 'apiVersion'),
      kind: readText(resource, 'kind'),
      name: readText(resource, 'name'),
      namespace: readText(resource, 'namespace') || meta.namespace,
      matchLabels: read(resource, 'matchLabels') === undefined ? undefined : textMap(resource, 'matchLabels'),
      filter: readText(resource, 'filter'),
    })),
    resourceFilter: readText(object, 'spec', 'resourceFilter'),
    secretName: optionalText(object, 'spec', 'secretRef', 'name'),
    oidcProviders: readList(object, 'spec', 'oidcProviders').map(parseOidcProvider),
    webhookPath: readText(object, 'status', 'webhookPath'),
    status: statusOf(object),
    ...meta,
  }
}

function parseOidcProvider(value: unknown): OidcProvider {
  return {
    issuerUrl: readText(value, 'issuerURL'),
    audience: readText(value, 'audience') || DEFAULT_AUDIENCE,
    variables: readList(value, 'variables').map((entry) => ({
      name: readText(entry, 'name'),
      expression: readText(entry, 'expression'),
    })),
    validations: readList(value, 'validations').map((entry) => ({
      expression: readText(entry, 'expression'),
      message: readText(entry, 'message'),
    })),
  }
}
