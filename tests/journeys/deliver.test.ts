import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { join, resolve } from 'node:path'
import {
  cellOf,
  change,
  cloneOf,
  git,
  historyOf,
  jsonOf,
  isOnPath,
  kubectl,
  type Product,
  scratch,
  startProduct,
  statusOf,
  untilDelivered,
  urlOf,
} from './product.ts'
import { peerTool } from '../lib/peer.ts'
import { askSteadily } from '../support/steady-load.ts'
import { LONG_MS, until } from '../support/wait.ts'

// The procedures end to end, in the order of a working day, on one product with real git and real kubectl.
const space = scratch()
const SERVICES = ['api-enrichment', 'api-gateway', 'api-generation']
let product: Product
let main = ''
let develop = ''

before(async () => {
  product = await startProduct(join(space.dir, 'state'), resolve('examples/vps'))
})
after(async () => {
  await product?.kill('SIGTERM')
  space.release()
})

const setVersionText = (text: string) => (source: string) =>
  source.replace(/^const name = .*$/m, (line) => `// ${text}\n${line}`)

test('the first start delivers three services to two environments', { timeout: LONG_MS }, async () => {
  const view = await until(
    'everything is healthy',
    async () => {
      const seen = await statusOf(product)
      const cells = seen.services.flatMap((service) => service.cells)
      return cells.length === 6 && cells.every((cell) => cell.state === 'done') ? seen : undefined
    },
    () => product.output().slice(-8000),
  )
  assert.deepEqual(
    view.services.map((service) => service.name),
    SERVICES,
  )
  assert.deepEqual([...view.environments].sort(), ['production', 'staging'])
  main = cloneOf(product, space.dir, 'main')
  develop = cloneOf(product, space.dir, 'develop')
})

test('the gateway answers with what the two others say, in both environments', async () => {
  for (const namespace of ['default', 'staging']) {
    const response = await fetch(await urlOf(product, 'api-gateway', namespace), {
      headers: { 'x-correlation-id': 'journey' },
    })
    const body = (await response.json()) as { generation: { service: string }; enrichment: { service: string } }
    assert.equal(response.headers.get('x-correlation-id'), 'journey')
    assert.equal(body.generation.service, 'api-generation')
    assert.equal(body.enrichment.service, 'api-enrichment')
  }
})

test('a push to develop deploys staging, and only what it touches', { timeout: LONG_MS }, async () => {
  const before = await cellOf(product, 'api-gateway', 'production')
  const commit = change(develop, 'api-gateway/server.mjs', setVersionText('staging change'), 'feat: staging change')
  const cell = await untilDelivered(product, 'api-gateway', 'staging', commit)
  assert.match(cell.version, new RegExp(`^develop-\\d+-${commit.slice(0, 7)}$`))
  const delivery = (await historyOf(product)).find((one) => one.commit === commit)
  assert.equal(delivery?.borders.find(({ name }) => name === 'push')?.by, 'git')
  assert.deepEqual((await cellOf(product, 'api-gateway', 'production'))?.version, before?.version)
})

test('a push to main deploys production', { timeout: LONG_MS }, async () => {
  const commit = change(main, 'api-gateway/server.mjs', setVersionText('production change'), 'feat: production change')
  const cell = await untilDelivered(product, 'api-gateway', 'production', commit)
  assert.match(cell.version, /^1\.1\.0-main\.\d+$/)
  const version = (await (await fetch(new URL('version', await urlOf(product, 'api-gateway', 'default')))).json()) as {
    version: string
  }
  assert.equal(version.version, cell.version)
})

test('a pull request is tested and built, and nothing is pushed', { timeout: LONG_MS }, async () => {
  const tagsBefore = await tagsOf('api-gateway')
  git(main, 'checkout', '--quiet', '-b', 'topic')
  git(main, 'branch', '--quiet', '--set-upstream-to=origin/main')
  const commit = change(main, 'api-gateway/server.mjs', setVersionText('proposal'), 'feat: proposal', [
    'origin',
    'HEAD:refs/for/main',
  ])
  git(main, 'checkout', '--quiet', 'main')
  await until(
    'the pull request was built',
    () => new RegExp(`run .* ${commit.slice(0, 7)}: succeeded`).test(product.output()),
    () => product.output().slice(-4000),
  )
  assert.deepEqual(await tagsOf('api-gateway'), tagsBefore)
})

test('a tag is a release, and the policy selects it', { timeout: LONG_MS }, async () => {
  git(main, 'pull', '--quiet', '--rebase')
  git(main, 'tag', 'v1.1.0')
  git(main, 'push', '--quiet', 'origin', 'v1.1.0')
  for (const service of SERVICES) {
    await until(
      `${service} 1.1.0 runs`,
      async () => {
        const cell = await cellOf(product, service, 'production')
        return cell?.version === '1.1.0' && cell.state === 'done'
      },
      () => product.output().slice(-6000),
    )
  }
  git(main, 'pull', '--quiet', '--rebase')
  assert.match(git(main, 'log', '-1', '--format=%an %B'), /^Flux Image Automation Automated image update/)
})

test('a rolling update drops no request', { timeout: LONG_MS }, async () => {
  const url = new URL('health', await urlOf(product, 'api-generation', 'default'))
  const load = askSteadily(url)
  const commit = change(main, 'api-generation/server.mjs', setVersionText('rolled'), 'feat: rolled')
  await untilDelivered(product, 'api-generation', 'production', commit)
  const { sent, failures } = await load.stop()
  assert.deepEqual(failures, [], `${failures.length} of ${sent} failed`)
  assert.ok(sent > 200)
})

test(
  'a service that does not get healthy stops with its cause, the old pods serve on, and a fix goes through',
  { timeout: LONG_MS },
  async () => {
    const url = new URL('health', await urlOf(product, 'api-enrichment', 'default'))
    const probe = (text: string): string => text.replace('path: /health', 'path: /nowhere')
    const bad = change(main, 'apps/api-enrichment/deployment.yaml', probe, 'feat: breaks readiness')
    git(main, 'config', 'core.editor', 'true')
    const cell = await until(
      'the failed delivery says why',
      async () => {
        const seen = await cellOf(product, 'api-enrichment', 'production')
        return seen?.state === 'failed' ? seen : undefined
      },
      () => product.output().slice(-6000),
    )
    assert.match(cell.cause ?? '', /api-enrichment/)
    assert.ok((await fetch(url)).ok)
    git(main, 'pull', '--quiet', '--rebase')
    git(main, 'revert', '--no-edit', bad)
    git(main, 'push', '--quiet', 'origin', 'HEAD')
    await untilDelivered(product, 'api-enrichment', 'production', git(main, 'rev-parse', 'HEAD'))
  },
)

test(
  'kubectl set image is taken back as drift, and recorded',
  { timeout: LONG_MS, skip: isOnPath('kubectl') ? false : 'no kubectl on the PATH' },
  async () => {
    const image = kubectl(
      product,
      'get',
      'deployment',
      'api-gateway',
      '-o',
      'jsonpath={.spec.template.spec.containers[0].image}',
    )
    kubectl(product, 'set', 'image', 'deployment/api-gateway', 'api-gateway=registry.sluice.local/api-gateway:nonsense')
    kubectl(
      product,
      'annotate',
      '--overwrite',
      '-n',
      'flux-system',
      'kustomization/production',
      `reconcile.fluxcd.io/requestedAt=${Date.now()}`,
    )
    await until(
      'the image is Git’s again',
      () =>
        kubectl(
          product,
          'get',
          'deployment',
          'api-gateway',
          '-o',
          'jsonpath={.spec.template.spec.containers[0].image}',
        ) === image,
    )
    await until('the correction is recorded', async () =>
      (await historyOf(product)).some((delivery) => delivery.cause === 'changed by hand, set back to Git'),
    )
  },
)

test(
  'the real flux command reads, asks, suspends and resumes',
  { timeout: LONG_MS, skip: peerTool('flux') === undefined ? 'no flux at hand (SLUICE_PEERS)' : false },
  () => {
    const flux = (...args: readonly string[]): string =>
      execFileSync(peerTool('flux') ?? '', ['--kubeconfig', product.access.kube.kubeconfig, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    assert.match(flux('get', 'all', '-A'), /kustomization\/production\s+main@sha1:\w+\s+False\s+True/)
    flux('reconcile', 'kustomization', 'production', '--with-source')
    flux('suspend', 'kustomization', 'production')
    assert.match(flux('get', 'kustomizations'), /production\s+main@sha1:\w+\s+True/)
    flux('resume', 'kustomization', 'production')
    assert.match(flux('tree', 'kustomization', 'production'), /── Deployment\/default\/api-gateway/)
    assert.match(flux('events', '-A'), /ReconciliationSucceeded\s+Kustomization\/production/)
  },
)

async function tagsOf(repository: string): Promise<readonly string[]> {
  const list = await jsonOf(new URL(`v2/${repository}/tags/list`, product.access.registry.url))
  return (list as { tags: string[] }).tags
}
