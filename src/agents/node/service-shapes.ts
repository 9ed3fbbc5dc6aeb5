import type { KubeObject } from '../../lib/kube/object.ts'

/** The parts of a Service's `spec` that the network needs. */
export type ServiceSpec = {
  readonly clusterIP?: string
  readonly type?: string
  readonly externalName?: string
  readonly sessionAffinity?: string
  readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number } }
  readonly ports?: readonly {
    readonly name?: string
    readonly port: number
    readonly protocol?: string
    readonly nodePort?: number
  }[]
}

/** One pod behind a Service. */
export type Endpoint = {
  readonly addresses: readonly string[]
  readonly hostname?: string
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean }
}

/** An EndpointSlice. */
export type Slice = KubeObject & {
  readonly endpoints?: readonly Endpoint[] | null
  readonly ports?:
    readonly { readonly name?: string | null; readonly port?: number | null; readonly protocol?: string }[] | null
}

/** Whether a pod gets new connections. */
export function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false
}

/** `spec` of a Service. */
export function specOf(service: KubeObject): ServiceSpec {
  const spec = service['spec']
  return typeof spec === 'object' && spec !== null ? spec : {}
}

/** Whether the object is an EndpointSlice of IPv4 addresses. */
export function isSlice(object: KubeObject): object is Slice {
  return object.kind === 'EndpointSlice' && object['addressType'] !== 'IPv6'
}

/** The Service of the API server itself, which every pod knows. */
export function isApiServer({ metadata }: KubeObject): boolean {
  return metadata.namespace === 'default' && metadata.name === 'kubernetes'
}
