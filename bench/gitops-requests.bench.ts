/**
 * What each request that a Kustomization of 4 objects takes costs a real API server and etcd, one kind of request at a time, and what Kubernetes' own
 * controllers ask of the two about a Deployment and a Service. Times the number of requests that is the floor under `gitops.bench.ts`.
 *
 * Processor time from the scheduler's own count, the least of several rounds. `one version`: a definition that serves one version instead of three.
 * Needs the peer `kube-control-plane`; prints a JSON line a number, and `skipped` where it is absent.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { clientFromKubeconfig } from '../src/adapters/kube/client.ts'
import type { KubeClient, PatchType, WriteOptions } from '../src/adapters/kube/types.ts'
import { definitionOf } from '../src/kinds/crds/definition.ts'
import { kustomizationTable } from '../src/kinds/crds/kustomization.ts'
import type { KubeObject } from '../src/lib/kube/object.ts'
import { refOf } from '../src/lib/kube/object.ts'
import { conditionOf } from '../src/lib/kube/read.ts'
import { controllerFlags } from './control-plane.ts'
import { childrenOf, lineOf, openProcesses, type Processes } from './processes.ts'

const plane = join(process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers'), 'kube-control-plane')
const root = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const NAMESPACE = 'bench'
const ROUNDS = 5
const EACH = 50
const AT_ONCE = 4
/** The objects of an app are put on so many apps at once, as the engine does. */
const APPS = 100
const APPS_AT_ONCE = 8
const SETTLE_MS = 1_500

type Request = (i: number, round: number) => Promise<unknown>
type Cost = { readonly apiMs: number; readonly etcdMs: number }
type Pids = { readonly api: number; readonly etcd: number }

if (existsSync(plane)) await run()
else console.log(JSON.stringify({ skipped: 'gitops-requests', why: `no ${plane}` }))

async function run(): Promise<void> {
  const dir = mkdtempSync(join(root, 'bench-requests-'))
  const processes = openProcesses()
  try {
    await measure(processes, join(dir, 'plane'))
  } finally {
    await processes.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function measure({ start }: Processes, home: string): Promise<void> {
  console.log(JSON.stringify({ name: 'load of the machine before', value: loadavg()[0] ?? 0, unit: 'processes' }))
  const up = start(plane, ['up', '--dir', home, '--controllers', '', '--scheduler=false'], { KCP_STDIN: 'ignore' })
  const { kubeconfig } = JSON.parse(await lineOf(up, /kubeconfig/)) as { kubeconfig: string }
  const etcd = up.pid ?? 0
  const pids = { etcd, api: childrenOf(etcd).get('kube-apiserver') ?? 0 }
  const client = clientFromKubeconfig(kubeconfig)
  await client.create(object('v1', 'Namespace', NAMESPACE, {}), write())
  const three = await define(client, kustomizationTable.group, kustomizationTable.versions)
  const one = await define(client, 'one.example.com', kustomizationTable.versions.slice(-1))
  const requests = {
    ...kustomizationRequests(client, three, ''),
    ...kustomizationRequests(client, one, ', one version'),
    ...objectRequests(client),
    event: (i: number, round: number) => client.create(event(`e${i}.${round}`), write()),
  }
  for (const [name, cost] of await costsOf(pids, requests)) say(`request, ${name}`, cost)
  const alone = await costOfApps(client, pids, 'alone')
  start(plane, ['kube-controller-manager', ...controllerFlags(home)])
  await untilHandled(client, await applyApp(client, 'first'))
  const beside = await costOfApps(client, pids, 'beside')
  say("what Kubernetes' controllers ask about the 4 objects", {
    apiMs: beside.apiMs - alone.apiMs,
    etcdMs: beside.etcdMs - alone.etcdMs,
  })
  client.close()
}

async function define(client: KubeClient, group: string, versions: readonly string[]): Promise<string> {
  const definition = definitionOf({ ...kustomizationTable, group, versions, shortNames: [], categories: [] })
  await client.patch(refOf(definition), 'apply', definition, write({ force: true }))
  while (conditionOf(await client.get(refOf(definition)), 'Established')?.status !== 'True') await pause(100)
  await pause(SETTLE_MS)
  return `${group}/v1`
}

/** In the order in which they are made: each kind of request finds what the one before has left. */
function kustomizationRequests(client: KubeClient, apiVersion: string, of: string): Readonly<Record<string, Request>> {
  const kind = 'Kustomization'
  const ref = (i: number, round: number) => ({ apiVersion, kind, namespace: NAMESPACE, name: `a${i}.${round}` })
  let revision = 0
  const patchStatus =
    (type: PatchType, options: Partial<WriteOptions> = {}): Request =>
    (i, round) => {
      const status = statusOf(i, ++revision)
      const { name } = ref(i, round)
      const bodies: Partial<Record<PatchType, unknown>> = {
        json: [{ op: 'replace', path: '/status', value: status }],
        apply: { apiVersion, kind, metadata: { name, namespace: NAMESPACE }, status },
      }
      const body = bodies[type] ?? { status }
      const force = type === 'apply' ? { force: true } : {}
      return client.patch(ref(i, round), type, body, write({ subresource: 'status', ...force, ...options }))
    }
  return {
    [`Kustomization created${of}`]: (i, round) =>
      client.create(object(apiVersion, kind, ref(i, round).name, { spec: specOf(i) }), write()),
    [`finalizer${of}`]: (i, round) =>
      client.patch(ref(i, round), 'merge', { metadata: { finalizers: ['finalizers.fluxcd.io'] } }, write()),
    [`first status${of}`]: patchStatus('json'),
    [`status${of}`]: patchStatus('json'),
    [`status, with warnings${of}`]: patchStatus('json', { fieldValidation: 'Warn' }),
    [`status by merge patch${of}`]: patchStatus('merge'),
    [`status by apply${of}`]: patchStatus('apply'),
  }
}

function objectRequests(client: KubeClient): Readonly<Record<string, Request>> {
  return Object.fromEntries(
    appObjects('any').flatMap(({ kind }, at) => {
      const make = (i: number, round: number, more: string): KubeObject => appObjects(`${more}${i}.${round}`)[at]!
      const apply =
        (more: string, options: Partial<WriteOptions> = {}): Request =>
        (i, round) => {
          const made = make(i, round, more)
          return client.patch(refOf(made), 'apply', made, write({ force: true, ...options }))
        }
      return [
        [`${kind} applied`, apply('a')],
        [`${kind} applied, with warnings`, apply('w', { fieldValidation: 'Warn' })],
        [`${kind} created`, (i: number, round: number) => client.create(make(i, round, 'c'), write())],
      ] as const
    }),
  )
}

async function costsOf(pids: Pids, requests: Readonly<Record<string, Request>>): Promise<ReadonlyMap<string, Cost>> {
  const least = new Map<string, Cost>()
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, request] of Object.entries(requests)) {
      const cost = await costOf(pids, EACH, AT_ONCE, (i) => request(i, round))
      const before = least.get(name)
      if (!before || cost.apiMs + cost.etcdMs < before.apiMs + before.etcdMs) least.set(name, cost)
    }
  return least
}

/** What an app's objects cost, until the controllers have said what they see when there are any. */
async function costOfApps(client: KubeClient, pids: Pids, name: string): Promise<Cost> {
  const costs: Cost[] = []
  for (let round = 0; round < 3; round++)
    costs.push(
      await costOf(
        pids,
        APPS,
        APPS_AT_ONCE,
        (i) => applyApp(client, `${name}${i}.${round}`),
        async () => {
          if (name === 'beside') await untilHandled(client, `${name}${APPS - 1}.${round}`)
          await pause(SETTLE_MS)
        },
      ),
    )
  return costs.toSorted((a, b) => a.apiMs - b.apiMs)[0] ?? { apiMs: 0, etcdMs: 0 }
}

async function applyApp(client: KubeClient, name: string): Promise<string> {
  for (const one of appObjects(name)) await client.patch(refOf(one), 'apply', one, write({ force: true }))
  return name
}

async function untilHandled(client: KubeClient, name: string): Promise<void> {
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: NAMESPACE, name: nameOf(name) }
  while (conditionOf(await client.get(ref), 'Available')?.status !== 'True') await pause(100)
}

/** Processor time a request, of so many requests and of what follows them. */
async function costOf(
  { api, etcd }: Pids,
  count: number,
  atOnce: number,
  request: (i: number) => Promise<unknown>,
  after: () => Promise<void> = async () => undefined,
): Promise<Cost> {
  const before = { api: processorMs(api), etcd: processorMs(etcd) }
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) await request(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  await after()
  return { apiMs: (processorMs(api) - before.api) / count, etcdMs: (processorMs(etcd) - before.etcd) / count }
}

/** Milliseconds on a processor since the start, of all threads: finer than the hundredths of a second in `stat`. */
function processorMs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
    .reduce((sum, ms) => sum + ms, 0)
}

function write(options: Partial<WriteOptions> = {}): WriteOptions {
  return { fieldManager: 'bench', ...options }
}

function object(apiVersion: string, kind: string, name: string, rest: object): KubeObject {
  const namespace = kind === 'Namespace' ? {} : { namespace: NAMESPACE }
  return { apiVersion, kind, metadata: { name, ...namespace, labels: labelsOf(name) }, ...rest }
}

function labelsOf(name: string): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': name, 'kustomize.toolkit.fluxcd.io/name': name }
}

function nameOf(suffix: string): string {
  return `app-${suffix}`
}

function appObjects(suffix: string): readonly KubeObject[] {
  const name = nameOf(suffix)
  const labels = labelsOf(name)
  const container = {
    name: 'app',
    image: 'registry.example/app:1.0.0',
    ports: [{ name: 'http', containerPort: 8080 }],
    resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
    readinessProbe: { httpGet: { path: '/healthz', port: 'http' } },
  }
  const template = { metadata: { labels }, spec: { serviceAccountName: name, containers: [container] } }
  const port = { name: 'http', port: 80, targetPort: 'http' }
  return [
    object('v1', 'ConfigMap', name, { data: { version: '1', 'config.yaml': `log: info\nname: ${name}\n` } }),
    object('v1', 'ServiceAccount', name, {}),
    object('v1', 'Service', name.replaceAll('.', '-'), {
      spec: { type: 'ClusterIP', selector: labels, ports: [port] },
    }),
    object('apps/v1', 'Deployment', name, { spec: { replicas: 0, selector: { matchLabels: labels }, template } }),
  ]
}

function specOf(i: number): object {
  const sourceRef = { kind: 'GitRepository', name: 'bench' }
  return { interval: '1h', timeout: '1m', prune: true, wait: true, path: `./apps/${i}`, sourceRef }
}

function statusOf(i: number, number: number): object {
  const revision = `main@sha1:${String(number).padStart(40, '0')}`
  const atIso = '2026-11-27T09:00:00Z'
  const reason = 'ReconciliationSucceeded'
  const condition = { status: 'True', lastTransitionTime: atIso, observedGeneration: 1 }
  return {
    observedGeneration: 1,
    conditions: [
      { ...condition, type: 'Ready', reason, message: `Applied revision: ${revision}` },
      { ...condition, type: 'Healthy', reason: 'Succeeded', message: 'Health check passed in 12ms' },
    ],
    history: [
      {
        digest: `sha256:${'a'.repeat(64)}`,
        firstReconciled: atIso,
        lastReconciled: atIso,
        lastReconciledDuration: '12ms',
        lastReconciledStatus: reason,
        metadata: { revision },
        totalReconciliations: 1,
      },
    ],
    inventory: {
      entries: ['_ConfigMap', '_ServiceAccount', '_Service', 'apps_Deployment'].map((kind) => ({
        id: `${NAMESPACE}_app-${i}_${kind}`,
        v: 'v1',
      })),
    },
    lastAppliedRevision: revision,
    lastAttemptedRevision: revision,
  }
}

function event(name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: NAMESPACE },
    involvedObject: { kind: 'Kustomization', name: 'app', namespace: NAMESPACE },
    type: 'Normal',
    reason: 'Progressing',
    message: 'ConfigMap/bench/app created\n'.repeat(4),
    source: { component: 'kustomize-controller' },
  } as KubeObject
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function say(name: string, { apiMs, etcdMs }: Cost): void {
  const round = (ms: number): number => Number(ms.toFixed(2))
  const parts = { api: round(apiMs), etcd: round(etcdMs) }
  console.log(JSON.stringify({ name, value: round(apiMs + etcdMs), unit: 'ms of processor', ...parts }))
}
