import type { ServerResponse } from 'node:http'
import { at, isObject, type Json, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import type { Environment } from '../environment.ts'
import { badRequest, Fault, methodNotAllowed, notFound } from '../fault.ts'
import { specOf } from '../object.ts'
import { kubeletOf } from './kubelet.ts'
import { dialPod, type PodPort } from './pod-dial.ts'
import { forwardHttp } from './proxy-http.ts'

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** `[scheme:]name[:port]`, as the name of what a proxy leads to is written. */
type Target = { readonly isTls: boolean; readonly name: string; readonly port: string }

/**
 * Carries a request to a pod, to a ready pod behind a Service, or to a node's kubelet API, and the answer back.
 *
 * @throws Fault 400 for a name that makes no sense, 404, 503 without anybody behind it
 */
export function proxy(env: Environment, call: Call, response: ServerResponse): Promise<void> {
  if (!METHODS.has(call.method)) throw methodNotAllowed()
  const { plural, isNamespaced } = call.resource
  const target = parseTarget(call.name)
  if (target === undefined) throw badRequest(`invalid ${plural.replace(/s$/, '')} request ${JSON.stringify(call.name)}`)
  const raw = call.path.split('/')
  const rest = raw.slice(isNamespaced ? 8 : 6)
  const asked = response.req.url ?? ''
  const search = asked.includes('?') ? asked.slice(asked.indexOf('?')) : ''
  if (rest.length === 0 && /^(GET|HEAD)$/.test(call.method) && call.connection === undefined) {
    response.writeHead(301, { location: `${call.path}/${search}` }).end()
    return Promise.resolve()
  }
  const path = `/${rest.join('/')}${search}`
  const prefix = raw.slice(0, raw.length - rest.length).join('/')
  if (plural === 'nodes') {
    const { host, port } = kubeletOf(env, target.name)
    if (target.port !== '' && target.port !== String(port))
      throw badRequest(`kubed reaches no port of a node but that of its kubelet API, ${port}`)
    return forwardHttp(call, response, { path, prefix, isTls: true, address: { host, port }, ...env.kubeletTls })
  }
  const to = plural === 'services' ? behindService(env, call, target) : portOfPod(env, call, target)
  return forwardHttp(call, response, {
    path,
    prefix,
    isTls: target.isTls,
    address: { host: to.pod, port: to.port },
    dial: () => dialPod(env, to),
  })
}

function parseTarget(text: string): Target | undefined {
  const parts = text.split(':')
  const [first = '', second = '', third = ''] = parts
  if (parts.length === 1) return first === '' ? undefined : { isTls: false, name: first, port: '' }
  if (parts.length === 2) return first === '' ? undefined : { isTls: false, name: first, port: second }
  if (parts.length !== 3 || !/^(https?|)$/.test(first) || second === '') return undefined
  return { isTls: first === 'https', name: second, port: third }
}

function portOfPod(env: Environment, { namespace, resource }: Call, target: Target): PodPort {
  const pod = env.store.get('/pods', namespace, target.name)
  if (pod === undefined) throw notFound(resource, target.name)
  if (stringOf(at(pod, 'status', 'podIP')) === '') throw badRequest('address not allowed')
  const nodeName = stringOf(specOf(pod).nodeName)
  const declared = objectsOf(specOf(pod).containers).flatMap(({ ports }) => objectsOf(ports))
  const first = declared[0]?.containerPort
  const port = target.port === '' ? (first ?? (target.isTls ? 443 : 80)) : Number(target.port)
  return { namespace, pod: target.name, nodeName, port: portNumber(port, target.port) }
}

/** A ready pod behind a port of a Service, any of them. */
function behindService(env: Environment, call: Call, target: Target): PodPort {
  const { namespace } = call
  const nobody = new Fault(
    503,
    'ServiceUnavailable',
    `no endpoints available for service ${JSON.stringify(target.name)}`,
  )
  const wanted = nameOfPort(env, call, target)
  const slices = env.store
    .list('discovery.k8s.io/endpointslices', namespace)
    .filter((slice) => objectOf(slice.metadata.labels)['kubernetes.io/service-name'] === target.name)
  const found = slices.flatMap((slice) => {
    const port = objectsOf(slice.ports).find(({ name }) => stringOf(name) === wanted)?.port
    const ready = objectsOf(slice.endpoints).filter((each) => at(each, 'conditions', 'ready') !== false)
    return ready.flatMap(({ targetRef }) => podPort(env, namespace, targetRef, port))
  })
  const [byte = 0] = env.random(1)
  const chosen = found[byte % Math.max(found.length, 1)]
  if (chosen === undefined) throw nobody
  return chosen
}

/** Ports are named in slices; a number in the request is that of the Service. */
function nameOfPort(env: Environment, { namespace, resource }: Call, { name, port }: Target): string {
  if (!/^\d+$/.test(port)) return port
  const service = env.store.get('/services', namespace, name)
  if (service === undefined) throw notFound(resource, name)
  const found = objectsOf(specOf(service).ports).find((each) => each.port === Number(port))
  if (found === undefined)
    throw new Fault(503, 'ServiceUnavailable', `no service port ${port} found for service ${JSON.stringify(name)}`)
  return stringOf(found.name)
}

function podPort(env: Environment, namespace: string, ref: Json | undefined, port: Json | undefined): PodPort[] {
  if (!isObject(ref) || ref.kind !== 'Pod' || typeof port !== 'number') return []
  const name = stringOf(ref.name)
  const pod = env.store.get('/pods', namespace, name)
  return pod === undefined ? [] : [{ namespace, pod: name, nodeName: stringOf(specOf(pod).nodeName), port }]
}

function portNumber(port: Json | undefined, text: string): number {
  const number = Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65_535) throw badRequest(`${JSON.stringify(text)} is no port`)
  return number
}
