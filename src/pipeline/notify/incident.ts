import { createHash } from 'node:crypto'
import {
  basic,
  bearer,
  type Converse,
  isProgress,
  metadataOf,
  nameAndReason,
  nameOf,
  type Parcel,
  post,
  saying,
  unusable,
} from './hook-request.ts'
import type { Message } from './message.ts'

/** Receivers that watch over systems and people on call. */
export const INCIDENTS: Readonly<Record<string, Converse>> = {
  opsgenie: saying(({ message, provider, secret: { token = '' }, traps }) => {
    if (token === '') throw unusable(provider, 'empty Opsgenie apikey/token', 'spec.secretRef')
    const { kind, name, namespace } = message.involvedObject
    const key = `${provider.uid}/${kind}/${namespace}/${name}/${message.reason}`
    // One alert an object and reason, not one a message; the Flux that was recorded does not say it yet.
    const alias = traps === 'safe' ? { alias: createHash('sha256').update(key).digest('hex') } : {}
    const details = { ...message.metadata, severity: message.severity }
    const body = { message: `${kind}/${name}`, ...alias, description: message.message, details }
    return post(provider.address, body, { authorization: `GenieKey ${token}` })
  }),
  alertmanager: saying(({ message, provider, secret }) =>
    post(provider.address, alertmanager(message), login(provider.username, secret)),
  ),
  grafana: saying(({ message, provider, secret }) =>
    post(provider.address, grafana(message), login(provider.username, secret)),
  ),
  pagerduty: function* ({ message, provider }) {
    if (isProgress(message)) return
    const { origin } = new URL(provider.address)
    const { name, words } = nameAndReason(message)
    const { involvedObject, severity, timestamp } = message
    const details = { message: message.message, metadata: message.metadata ?? null }
    const said = { summary: `${words}: ${name}`, source: `Flux ${message.reportingController}` }
    const about = { component: involvedObject.name, group: involvedObject.kind, custom_details: details }
    const payload = severity === 'error' ? { payload: { ...said, severity, timestamp, ...about } } : {}
    const action = severity === 'error' ? 'trigger' : 'resolve'
    const key = { routing_key: provider.channel }
    yield post(`${origin}/v2/enqueue`, { ...key, event_action: action, dedup_key: involvedObject.uid, ...payload })
    if (severity === 'info')
      yield post(`${origin}/v2/change/enqueue`, { ...key, payload: { ...said, timestamp, custom_details: details } })
  },
  datadog: saying(({ message, provider, secret: { token = '' } }) => {
    if (token === '') throw unusable(provider, 'token cannot be empty', 'spec.secretRef')
    return post(`${new URL(provider.address).origin}/api/v1/events`, datadog(message), {
      accept: 'application/json',
      'dd-api-key': token,
    })
  }),
  sentry: saying(sentry),
  'incident.io': function* ({ message, provider, secret: { token = '' } }) {
    if (token === '') throw unusable(provider, 'empty incident.io API token', 'spec.secretRef')
    if (isProgress(message)) return
    const { reportingController, reason, severity } = message
    const metadata = {
      ...message.metadata,
      severity,
      reason,
      ...(reportingController === '' ? {} : { reportingController }),
    }
    const body = {
      title: `${nameOf(message)}: ${reason}`,
      status: severity === 'error' ? 'firing' : 'resolved',
      deduplication_key: message.involvedObject.uid,
      ...(message.message === '' ? {} : { description: message.message }),
      metadata,
    }
    yield post(provider.address, body, { authorization: `Bearer ${token}` })
  },
}

function login(name: string, { token, username, password }: Parcel['secret']): Record<string, string> {
  return token === undefined ? basic(username ?? (name || undefined), password) : bearer(token)
}

function alertmanager(message: Message): object {
  const { involvedObject, reason, severity, timestamp, reportingController } = message
  const { kind, name, namespace } = involvedObject
  const { summary, ...rest } = message.metadata ?? {}
  const title = reason.slice(0, 1).toUpperCase() + reason.slice(1).toLowerCase()
  const labels = {
    ...rest,
    alertname: `Flux${kind}${title}`,
    kind,
    name,
    namespace,
    reason,
    reportingcontroller: reportingController,
    severity,
  }
  const annotations = { message: message.message, ...(summary === undefined ? {} : { summary }) }
  // The zero time leaves the end to Alertmanager's resolve_timeout.
  return [{ status: 'firing', labels, annotations, startsAt: timestamp, endsAt: '0001-01-01T00:00:00Z' }]
}

function grafana(message: Message): object {
  const { kind, name, namespace } = message.involvedObject
  const metadata = metadataOf(message).map(
    ([key, value]) => `${key.replaceAll(':', '|')}: ${value.replaceAll(':', '|')}`,
  )
  const object = [`kind: ${kind}`, `name: ${name}`, `namespace: ${namespace}`]
  const tags = ['flux', message.reportingController, ...metadata, ...object]
  return { when: Math.floor(Date.parse(message.timestamp) / 1000), text: nameOf(message), tags }
}

function datadog(message: Message): object {
  const { kind, name, namespace } = message.involvedObject
  const tags = [
    `flux_reporting_controller:${message.reportingController}`,
    `flux_reason:${message.reason}`,
    `kube_kind:${kind}`,
    `kube_name:${name}`,
    `kube_namespace:${namespace}`,
    ...metadataOf(message).map(([key, value]) => `${key}:${value}`),
  ]
  return {
    alert_type: message.severity === 'error' ? 'error' : 'info',
    date_happened: Math.floor(Date.parse(message.timestamp) / 1000),
    source_type_name: 'fluxcd',
    tags: tags.map((tag) => tag.toLowerCase()),
    text: message.message,
    title: `Events from the ${kind} ${name}/${namespace}`,
  }
}

/** Sentry's envelope: an event for an error, a transaction of no length for the rest. Its id is made of the message, so that a repeat is known as one. */
function sentry({ message, provider, nowMs }: Parcel) {
  const dsn = provider.address
  const url = new URL(dsn)
  const project = url.pathname.split('/').at(-1) ?? ''
  const fault = url.username === '' ? 'empty username' : project === '' ? 'empty project id' : undefined
  if (fault !== undefined) throw unusable(provider, `[Sentry] DsnParseError: ${fault}`, 'spec.address')
  const digest = createHash('sha256').update(JSON.stringify(message)).digest('hex')
  const id = digest.slice(0, 32)
  const event = message.severity === 'error' ? sentryEvent(message, id) : sentryTransaction(message, id, digest)
  const body = JSON.stringify({ ...event, platform: 'go', environment: provider.channel || 'production' })
  const header = { event_id: id, sent_at: new Date(nowMs).toISOString(), dsn }
  const item = { type: message.severity === 'error' ? 'event' : 'transaction', length: Buffer.byteLength(body) }
  const path = url.pathname.slice(0, url.pathname.length - project.length)
  return {
    method: 'POST' as const,
    url: `${url.origin}${path}api/${project}/envelope/`,
    headers: {
      'content-type': 'application/x-sentry-envelope',
      'x-sentry-auth': `Sentry sentry_version=7, sentry_client=sluice/1, sentry_key=${url.username}`,
    },
    body: `${JSON.stringify(header)}\n${JSON.stringify(item)}\n${body}\n`,
  }
}

function sentryEvent(message: Message, id: string): object {
  return {
    event_id: id,
    timestamp: message.timestamp,
    level: message.severity,
    server_name: message.reportingController,
    transaction: summaryOf(message),
    contexts: { metadata: message.metadata ?? {} },
    message: message.message,
  }
}

function sentryTransaction(message: Message, id: string, digest: string): object {
  const { kind, namespace, name } = message.involvedObject
  const trace = { trace_id: digest.slice(0, 32), span_id: digest.slice(32, 48), op: 'event' }
  const tags = {
    flux_involved_object_kind: kind,
    flux_involved_object_namespace: namespace,
    flux_involved_object_name: name,
    flux_reporting_controller: message.reportingController,
    flux_reporting_instance: message.reportingInstance,
    flux_reason: message.reason,
    ...message.metadata,
  }
  const span = { ...trace, tags, start_timestamp: message.timestamp, timestamp: message.timestamp }
  const { start_timestamp, timestamp } = span
  const about = { event_id: id, type: 'transaction', transaction: summaryOf(message), message: message.message }
  return { ...about, contexts: { trace }, tags, start_timestamp, timestamp, spans: [span] }
}

function summaryOf({ involvedObject: { kind, namespace, name } }: Message): string {
  return `${kind}: ${namespace}/${name}`
}
