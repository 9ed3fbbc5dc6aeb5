import { createHash, createHmac } from 'node:crypto'
import { basic, type Converse, metadataOf, type Parcel, post, saying, unusable } from './hook-request.ts'
import type { Message } from './message.ts'

/** Receivers for programs. */
export const PROGRAMS: Readonly<Record<string, Converse>> = {
  generic: saying(forward),
  'generic-hmac': saying((parcel) => {
    const { token } = parcel.secret
    if (token === undefined || token === '') throw unusable(parcel.provider, 'HMAC key is empty', 'spec.secretRef')
    const request = forward(parcel)
    const signature = createHmac('sha256', token).update(request.body).digest('hex')
    return { ...request, headers: { ...request.headers, 'x-signature': `sha256=${signature}` } }
  }),
  otel: saying(trace),
}

/** Flux's event, as it is. */
function forward({ message, provider: { address }, secret: { headers = {} } }: Parcel) {
  return post(address, message, { 'gotk-component': message.reportingController, ...lower(headers) })
}

function lower(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** An OTLP span a message; those of one Alert and revision are one trace. Sent as JSON, which every OTLP/HTTP receiver takes. */
function trace({ message, provider, secret, alert }: Parcel) {
  const { kind, namespace, name, uid } = message.involvedObject
  const url = new URL(provider.address)
  if (url.pathname === '/' || url.pathname === '') url.pathname = '/v1/traces'
  const nanos = `${Date.parse(message.timestamp)}000000`
  const digest = createHash('sha256').update(JSON.stringify(message)).digest('hex')
  const object = { 'object.uid': uid, 'object.kind': kind, 'object.name': name, 'object.namespace': namespace }
  const resource = {
    'service.name': `${alert.namespace}/${alert.name}`,
    'service.namespace': alert.namespace,
    'service.instance.id': alert.uid,
  }
  const span = {
    traceId: createHash('sha256')
      .update(`${alert.uid}:${revisionOf(message)}`)
      .digest('hex')
      .slice(0, 32),
    spanId: digest.slice(0, 16),
    name: `${kind}: ${namespace}/${name}`,
    kind: 1,
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
    attributes: attributes({ ...object, ...Object.fromEntries(metadataOf(message)) }),
    status: message.severity === 'error' ? { code: 2, message: message.message } : { code: 1 },
  }
  const scopeSpans = [{ scope: { name: 'flux:notification-controller' }, spans: [span] }]
  const headers = lower(secret.headers ?? {})
  const token = secret.token ?? secret.password
  const user = secret.username ?? provider.username
  const login = user === '' ? (token === undefined ? {} : { authorization: `Bearer ${token}` }) : basic(user, token)
  return post(
    url.href,
    { resourceSpans: [{ resource: { attributes: attributes(resource) }, scopeSpans }] },
    { ...login, ...headers },
  )
}

function attributes(values: Readonly<Record<string, string>>): object[] {
  return Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }))
}

function revisionOf({ metadata = {} }: Message): string {
  const { 'oci-digest': digest, 'app-version': version, revision = 'unknown' } = metadata
  return digest !== undefined && version !== undefined ? `${version}@${digest}` : revision
}
