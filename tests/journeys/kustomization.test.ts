import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { clientFromKubeconfig, type HttpKubeClient } from '../../src/adapters/kube/client.ts'
import type { KubeObject, ObjectRef } from '../../src/lib/kube/object.ts'
import { conditionOf, readText } from '../../src/lib/kube/read.ts'
import { cloneOf, git, type Product, scratch, startProduct } from './product.ts'
import { LONG_MS, until } from '../support/wait.ts'

// What a Kustomization does with what leaves Git, and with what never becomes healthy: on a product with pods that really run.
const space = scratch()
let product: Product
let client: HttpKubeClient
let clone = ''

const settings = (name: string, annotations = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: default\n${annotations}data: {mode: fast}\n`
const kept = '  annotations:\n    kustomize.toolkit.fluxcd.io/prune: disabled\n'

const database = (script: string): string => `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
  namespace: default
spec:
  serviceName: db
  selector:
    matchLabels: {app: db}
  template:
    metadata:
      labels: {app: db}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: db
          image: registry.sluice.local/library/node:20
          command: [node, -e, '${script}']
          readinessProbe: {tcpSocket: {port: 5432}, periodSeconds: 1}
`

const apps = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 10m
  timeout: 3m
  path: ./apps
  prune: true
  wait: true
  sourceRef:
    kind: GitRepository
    name: flux-system
`

before(
  async () => {
    const repository = join(space.dir, 'repository')
    write(repository, {
      'clusters/one/apps.yaml': apps,
      'apps/goes.yaml': settings('goes'),
      'apps/kept.yaml': settings('kept', kept),
      'apps/stays.yaml': settings('stays'),
    })
    product = await startProduct(join(space.dir, 'state'), repository)
    client = clientFromKubeconfig(product.access.kube.kubeconfig)
    clone = cloneOf(product, space.dir, 'main')
    await untilReady(git(clone, 'rev-parse', 'HEAD'))
  },
  { timeout: LONG_MS },
)
after(async () => {
  client?.close()
  await product?.kill('SIGTERM')
  space.release()
})

test('what leaves Git goes by itself, but for what says that it stays', { timeout: LONG_MS }, async () => {
  const before = await uidsOf(['goes', 'kept', 'stays'])
  assert.ok(before.every((uid) => uid !== undefined))
  for (const name of ['goes', 'kept']) rmSync(join(clone, `apps/${name}.yaml`))
  await untilReady(push('two settings leave'))
  assert.deepEqual(await uidsOf(['goes', 'kept', 'stays']), [undefined, before[1], before[2]])
  assert.deepEqual(await inventory(), ['default_stays__ConfigMap'])
})

test(
  'a StatefulSet whose pods crash fails its Kustomization, which names it, and a fix goes through',
  { timeout: LONG_MS },
  async () => {
    write(clone, { 'apps/db.yaml': database('process.exit(3)') })
    const commit = push('a database that crashes')
    const told = product.printed(/flux-system\/apps at \w+ is unhealthy: pod db-0: container db ended with exit code 3/)
    const message = await until(
      'the Kustomization fails',
      async () => {
        const ready = conditionOf(await kustomization(), 'Ready')
        return ready?.status === 'False' ? ready.message : undefined
      },
      tail,
    )
    assert.match(message, /stalled resources: \[StatefulSet\/default\/db status: 'Failed'/)
    await told
    assert.equal(readText(await kustomization(), 'status', 'lastAttemptedRevision'), `main@sha1:${commit}`)
    assert.notEqual(readText(await kustomization(), 'status', 'lastAppliedRevision'), `main@sha1:${commit}`)

    write(clone, { 'apps/db.yaml': database('require("net").createServer().listen(5432)') })
    const fixed = push('the database runs')
    await until(
      'the fix is there',
      async () => readText(await kustomization(), 'status', 'lastAttemptedRevision').endsWith(fixed),
      tail,
    )
    // As in Kubernetes: a StatefulSet waits for its pods in their order, and never replaces one that is not ready by itself.
    await client.remove({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'db-0' })
    await untilReady(fixed)
  },
)

async function kustomization(): Promise<KubeObject> {
  const ref = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'flux-system' }
  return (await client.get({ ...ref, name: 'apps' })) ?? { apiVersion: '', kind: '', metadata: { name: '' } }
}

/** Waits until `apps` has applied a commit and finds it healthy. */
async function untilReady(commit: string): Promise<void> {
  await until(
    `${commit.slice(0, 7)} is applied and healthy`,
    async () => {
      const object = await kustomization()
      const isApplied = readText(object, 'status', 'lastAppliedRevision').endsWith(commit)
      return isApplied && conditionOf(object, 'Ready')?.status === 'True'
    },
    tail,
  )
}

function uidsOf(names: readonly string[]): Promise<readonly (string | undefined)[]> {
  const ref = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name })
  return Promise.all(names.map(async (name) => (await client.get(ref(name)))?.metadata.uid))
}

async function inventory(): Promise<readonly string[]> {
  const { status } = (await kustomization()) as { status?: { inventory?: { entries: readonly { id: string }[] } } }
  return status?.inventory?.entries.map(({ id }) => id) ?? []
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

function push(message: string): string {
  git(clone, 'add', '-A')
  git(clone, 'commit', '--quiet', '-m', message)
  git(clone, 'push', '--quiet')
  return git(clone, 'rev-parse', 'HEAD')
}

function tail(): string {
  return product.output().slice(-4000)
}
