import { createServer } from 'node:http'
import { closeServer } from '../machine/close-server.ts'
import type { SharedCaches } from '../adapters/kube/shared-caches.ts'
import type { OnReconciled } from '../engine/converge.ts'
import type { KubeObject } from '../lib/kube/object.ts'
import { listenFault } from '../machine/listen-fault.ts'
import { family, ofProcess, resourceInfo, type Sample } from './record/metrics-text.ts'

/** Flux's buckets: ten from 10 ms to half an hour, each as many times larger than the one before. */
const BUCKETS = Array.from({ length: 10 }, (_, n) => 0.01 * (1800 / 0.01) ** (n / 9))

type Durations = { readonly kind: string; readonly key: string; readonly counts: number[]; sum: number; count: number }

/** The figures of an engine under the names that Flux's controllers have. */
export type EngineMetrics = {
  readonly onReconciled: OnReconciled
  /** @param objects of Flux's kinds, as they are now; figures of others are forgotten */
  readonly render: (objects: readonly KubeObject[]) => string
}

export function createEngineMetrics(startedAtMs: number, residentBytes: () => number): EngineMetrics {
  const durations = new Map<string, Durations>()
  const results = new Map<string, number>()
  return {
    onReconciled({ kind, key, tookMs, hasFailed }) {
      const result = `${kind.toLowerCase()} ${hasFailed ? 'error' : 'success'}`
      results.set(result, (results.get(result) ?? 0) + 1)
      const id = `${kind} ${key}`
      const known = durations.get(id) ?? { kind, key, counts: BUCKETS.map(() => 0), sum: 0, count: 0 }
      BUCKETS.forEach((most, index) => {
        if (tookMs / 1000 <= most) known.counts[index] = (known.counts[index] ?? 0) + 1
      })
      durations.set(id, Object.assign(known, { sum: known.sum + tookMs / 1000, count: known.count + 1 }))
    },
    render(objects) {
      const there = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`))
      for (const id of [...durations.keys()]) if (!there.has(id)) durations.delete(id)
      return [
        family(
          'gotk_reconcile_duration_seconds',
          'histogram',
          'How long reconciles of an object took.',
          [...durations.values()].flatMap(samplesOf),
        ),
        family(
          'controller_runtime_reconcile_total',
          'counter',
          'Reconciles of a controller, by their result.',
          [...results].map(([result, value]) => {
            const [controller = '', word = ''] = result.split(' ')
            return { labels: { controller, result: word }, value }
          }),
        ),
        resourceInfo(objects),
        ofProcess({ residentBytes: residentBytes(), startedAtSeconds: Math.round(startedAtMs / 1000) }),
      ].join('')
    },
  }
}

function samplesOf({ kind, key, counts, sum, count }: Durations): readonly Sample[] {
  const [namespace = '', name = ''] = key.split('/')
  const labels = { kind, name, namespace }
  const buckets = [...counts.map((value, index) => [String(BUCKETS[index]), value] as const), ['+Inf', count] as const]
  return [
    ...buckets.map(([le, value]) => ({ ending: '_bucket', labels: { ...labels, le }, value })),
    { ending: '_sum', labels, value: sum },
    { ending: '_count', labels, value: count },
  ]
}

const KINDS: Readonly<Record<string, readonly string[]>> = {
  'source.toolkit.fluxcd.io/v1': ['GitRepository', 'OCIRepository', 'Bucket'],
  'kustomize.toolkit.fluxcd.io/v1': ['Kustomization'],
  'image.toolkit.fluxcd.io/v1': ['ImageRepository', 'ImagePolicy', 'ImageUpdateAutomation'],
  'notification.toolkit.fluxcd.io/v1': ['Receiver'],
}

/** The objects that an engine works for; its controllers hold the same copies. */
export function openObjects(caches: SharedCaches): () => readonly KubeObject[] {
  const opened = Object.entries(KINDS).flatMap(([apiVersion, kinds]) =>
    kinds.map((kind) => caches.open({ apiVersion, kind })),
  )
  return () => opened.flatMap((cache) => cache.list())
}

/** Metrics that are served; `address` is `host:port` with the real port. */
export type ServedMetrics = { readonly address: string; readonly close: () => Promise<void> }

/**
 * Serves `GET /metrics`, without a password as Flux's controllers do.
 *
 * @throws SluiceError PORT_IN_USE, PORT_REFUSED
 */
export async function serveMetrics(listen: string, render: () => string): Promise<ServedMetrics> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(render())
  })
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon) || '127.0.0.1'
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(listenFault(listen, cause)))
    server.listen(Number(listen.slice(colon + 1)), host.replace(/^\[|\]$/g, ''), resolve)
  })
  const bound = server.address()
  return {
    address: `${host}:${typeof bound === 'object' && bound !== null ? bound.port : 0}`,
    close: () => closeServer(server),
  }
}
