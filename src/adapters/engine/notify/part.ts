import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { backoffMs } from '../../../engine/backoff.ts'
import type { EngineEvent } from '../../../engine/event.ts'
import { kubeTime } from '../../../kinds/conditions.ts'
import { type Alert, parseAlert, parseProvider } from '../../../kinds/notification.ts'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import {
  makeMessage,
  marksOf,
  matchAlert,
  type Message,
  metadataConflicts,
  sameness,
  type ToldEvent,
} from '../../../pipeline/notify/message.ts'
import type { OnDispatch } from '../../../pipeline/notify/dispatch.ts'
import { isFor } from '../../../pipeline/notify/providers.ts'
import { read } from '../../../lib/kube/read.ts'
import { ApiError } from '../../kube/api-error.ts'
import type { AbsorbingCache } from '../../kube/types.ts'
import type { BoundedServer } from '../../net/bounded-server.ts'
import { type Letter, openOutbox, type Outbox } from '../../notify/outbox.ts'
import type { EngineContext, EnginePart } from '../context.ts'
import { keyOf } from '../status-writer.ts'
import { deliver, type Post } from './deliver.ts'
import { listenForEvents } from './event-server.ts'
import { type Postman, startPostman } from './postman.ts'
import { providerController } from './provider-controller.ts'

/** After so many failed sends the Alert gets an event; sending goes on for a day, counted by its own waits: a clock that is set forward ends none. */
const TOLD_AFTER = 4
/** Flux's waits between its four tries, which it tells the failure of after 15 seconds; safe, ours grow from less. */
const FLUX_WAITS_MS = [2_000, 4_000, 8_000]
const LONGEST_MS = 24 * 3_600_000
const REPEAT_MS = 5 * 60_000
const MOST_TOLD = 10_000
const CONFLICTS =
  'metadata key conflicts detected (please refer to the Alert API docs and Flux RFC 0008 for more information)'

type Own = {
  readonly context: EngineContext
  readonly alerts: AbsorbingCache
  readonly providers: AbsorbingCache
  readonly outbox: Outbox<Post>
  readonly postman: Postman
  /** When an event was told last, whoever wanted it; only with Flux's traps. */
  readonly toldMs: Map<string, number>
  isClosed: boolean
}

/** Alerts and Providers: events go into a durable outbox at once, and from there to their receivers; a reconcile never waits. */
export const notifyPart: EnginePart = async (context, { addSink, start, eventsListen, onDispatch, ended }) => {
  const group = 'notification.toolkit.fluxcd.io'
  const alerts = context.caches.open({ apiVersion: `${group}/v1beta3`, kind: 'Alert' })
  const providers = context.caches.open({ apiVersion: `${group}/v1beta3`, kind: 'Provider' })
  const outbox = openOutbox(join(context.stateDir, 'notify.db'), parsePost)
  await Promise.all([alerts.ready, providers.ready])
  await start(providerController(context, providers))
  const postman = startPostman({
    outbox,
    clock: context.clock,
    ended,
    log: context.log,
    async send(post) {
      if (await deliver(context, { alerts, providers }, post)) onDispatch(post.alert, undefined)
    },
    afterFailure: (letter, error) => afterFailure(context, alerts, letter, error, onDispatch),
  })
  const own: Own = { context, alerts, providers, outbox, postman, toldMs: new Map(), isClosed: false }
  addSink((event) => take(own, event))
  const server = eventsListen === '' ? undefined : await listen(own, eventsListen)
  return async () => {
    await server?.close()
    own.isClosed = true
    postman.close()
    alerts.close()
    providers.close()
    outbox.close()
  }
}

/** What other controllers tell goes to Alerts only: they write their own Kubernetes Events. */
async function listen(own: Own, address: string): Promise<BoundedServer> {
  const { context } = own
  const server = await listenForEvents(address, {
    labelsOf: (event) => labelsOf(own, event),
    take: (event) => spread(own, event, () => event),
    nowMs: () => context.clock.nowMs(),
    log: context.log,
  })
  context.listens('events', server)
  return server
}

/** An event names any object that it likes: only one that an Alert chooses by its labels is looked at. */
async function labelsOf({ context, alerts }: Own, { object }: ToldEvent): Promise<Readonly<Record<string, string>>> {
  const isChosen = alerts
    .list()
    .some((alert) =>
      parseAlert(alert).sources.some(
        ({ kind, namespace, matchLabels }) =>
          kind === object.kind && namespace === object.namespace && Object.keys(matchLabels).length > 0,
      ),
    )
  if (!isChosen) return {}
  try {
    return (await context.client.get(object))?.metadata.labels ?? {}
  } catch (error) {
    if (!(error instanceof ApiError) && !(error instanceof SluiceError)) throw error
    context.log(
      `event of ${object.kind}/${object.namespace}/${object.name}: its object is not to be seen: ${error.message}`,
    )
    return {}
  }
}

function take(own: Own, event: EngineEvent): void {
  if (event.object.kind !== 'Alert') spread(own, event, () => describe(own.context, event))
}

type News = Pick<ToldEvent, 'object' | 'severity' | 'message'> & Partial<Pick<ToldEvent, 'annotations'>>

/** Puts an event into the outbox, once for each Alert that asks for it. Never throws: events are told in the middle of work. */
function spread(own: Own, event: News, describeWhole: () => ToldEvent): void {
  if (event.severity === 'trace' || own.isClosed) return
  try {
    if (own.context.traps === 'flux' && isRepeated(own, event)) return
    const alerts = own.alerts.list().map(parseAlert)
    if (alerts.length === 0) return
    const told = describeWhole()
    for (const alert of alerts) if (wants(own, alert, told)) keep(own, alert, told)
    own.postman.wake()
  } catch (error) {
    own.context.log(`notification not kept: ${describeError(error)}`)
  }
}

/** Flux counts what is told twice before it asks who wants it: a new Alert hears nothing of what was said just before. */
function isRepeated({ toldMs, context }: Own, event: News): boolean {
  const key = JSON.stringify(sameness(event))
  const atMs = context.clock.monotonicMs()
  if (atMs - (toldMs.get(key) ?? -Infinity) < REPEAT_MS) return true
  if (toldMs.size >= MOST_TOLD) toldMs.clear()
  toldMs.set(key, atMs)
  return false
}

function wants(own: Own, alert: Alert, told: ToldEvent): boolean {
  const { isWanted, faults } = matchAlert(alert, told, own.context.crossNamespace)
  for (const fault of faults) tellAlert(own.context, alert, { reason: 'InvalidConfig', message: fault })
  return isWanted
}

/** Metadata that is said twice is no fault of the message, but one of two meanings is lost: Flux says so on the Alert, and so do we. */
function warnOfConflicts(own: Own, alert: Alert, told: ToldEvent, message: Message): void {
  const object = own.providers.get(alert.namespace, alert.providerName)
  const provider = object && parseProvider(object)
  const conflicts = metadataConflicts(alert, told)
  if (!provider || provider.isSuspended || Object.keys(conflicts).length === 0) return
  if (isFor(provider, message, marksOf(told)))
    tellAlert(own.context, alert, { reason: 'MetadataAppendFailed', message: CONFLICTS, annotations: conflicts })
}

function keep(own: Own, alert: Alert, told: ToldEvent): void {
  const { outbox, context } = own
  const message = makeMessage(alert, told)
  const key = createHash('sha256')
    .update(JSON.stringify([alert.namespace, alert.name, ...sameness(told)]))
    .digest('hex')
  const post: Post = {
    alert: `${alert.namespace}/${alert.name}`,
    provider: alert.providerName,
    message,
    marks: marksOf(told),
  }
  if (outbox.put(key, post, context.clock.nowMs())) warnOfConflicts(own, alert, told, message)
}

/** The event with what its object says of itself: labels for matching. */
function describe({ caches }: EngineContext, event: EngineEvent): ToldEvent {
  const { apiVersion, kind, namespace, name, uid, resourceVersion } = event.object
  const cache = caches.open({ apiVersion, kind })
  const object = cache.get(namespace, name)
  cache.close()
  return {
    object: { kind, namespace, name, uid, apiVersion, resourceVersion },
    severity: event.severity,
    reason: event.reason,
    message: event.message,
    annotations: event.annotations ?? {},
    objectLabels: object?.metadata.labels ?? {},
    controller: event.controller,
    timestamp: kubeTime(event.atMs),
    host: hostname(),
  }
}

/** Says on the Alert that its Provider was not reached, once; answers when the letter is sent again, `undefined` when it is given up. */
function afterFailure(
  context: EngineContext,
  alerts: AbsorbingCache,
  { payload, attempts }: Letter<Post>,
  error: unknown,
  onDispatch: OnDispatch,
): number | undefined {
  const failures = attempts + 1
  const toldAfter = error instanceof SluiceError && error.retry === 'spec' ? 1 : TOLD_AFTER
  const alert = alerts.list().find((object) => keyOf(object) === payload.alert)
  const message = error instanceof Error ? error.message : String(error)
  const sinceMs = Date.parse(payload.message.timestamp)
  const hint = error instanceof SluiceError ? error.hint : undefined
  const cause = hint === undefined ? message : `${message} (${hint})`
  if (failures >= toldAfter) onDispatch(payload.alert, { provider: payload.provider, sinceMs, cause })
  if (failures === toldAfter && alert)
    tellAlert(context, parseAlert(alert), { reason: 'NotificationDispatchFailed', message })
  if (!(error instanceof SluiceError)) context.log(`notification: ${describeError(error)}`)
  return alert && !hasTriedLongest(context, failures) ? waitMs(context, failures) : undefined
}

function hasTriedLongest(context: EngineContext, failures: number): boolean {
  let waitedMs = 0
  for (let tries = 1; tries < failures; tries++) waitedMs += waitMs(context, tries)
  return waitedMs > LONGEST_MS
}

function waitMs({ traps }: EngineContext, failures: number): number {
  return (traps === 'flux' ? FLUX_WAITS_MS[failures - 1] : undefined) ?? backoffMs(failures)
}

type AlertNews = Pick<EngineEvent, 'reason' | 'message' | 'annotations'>

function tellAlert(context: EngineContext, alert: Alert, news: AlertNews): void {
  const { apiVersion, namespace, name, uid, resourceVersion } = alert
  context.tell({
    object: { apiVersion, kind: 'Alert', namespace, name, uid, resourceVersion },
    severity: 'error',
    ...news,
    controller: 'notification-controller',
    atMs: context.clock.nowMs(),
  })
}

/** Rows are our own; one of an older version that does not fit is left out. */
function parsePost(value: unknown): Post | undefined {
  const isPost = ['alert', 'provider', 'message', 'marks'].every((key) => read(value, key) !== undefined)
  return isPost ? (value as Post) : undefined
}
