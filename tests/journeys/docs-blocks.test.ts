// The shell blocks of the README and of docs/*.md, as they stand there: each one is run, or stands here with the reason why not.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import {
  cellOf,
  change,
  cloneOf,
  git,
  isOnPath,
  keptPorts,
  type Product,
  scratch,
  startProduct,
  statusOf,
  untilDelivered,
} from './product.ts'
import { LONG_MS, PATIENCE_MS, until } from '../support/wait.ts'

/** A block, and how it is run. */
type Way = {
  readonly page: string
  /** What its first line begins with. */
  readonly begins: string
  readonly needs?: readonly string[]
  readonly before?: () => void
  readonly cwd?: () => string
  /** What is put in for names and addresses that are the reader's own. */
  readonly put?: () => readonly (readonly [text: string, by: string])[]
  readonly then?: (printed: string) => Promise<void> | void
}

/** Blocks that are not run, and why. */
const LEFT_OUT: readonly { readonly page: string; readonly begins: string; readonly why: string }[] = [
  { page: 'README.md', begins: 'npm start', why: 'sets the checkout up; what it starts then, sluice up, runs below' },
  { page: 'README.md', begins: 'npm test', why: 'is what runs this' },
  { page: 'docs/guide.md', begins: 'Deployment/web -n prod', why: 'is what a command prints: tests/cli/blame.test.ts' },
  { page: 'docs/operations.md', begins: 'server {', why: 'is for nginx' },
  { page: 'docs/cli.md', begins: '', why: 'are usage lines: tests/docs.test.ts' },
  { page: 'docs/kustomize.md', begins: '', why: 'are what its examples print: tests/kustomize/package.test.ts' },
]

const space = scratch()
const checkout = join(space.dir, 'checkout')
const home = join(space.dir, 'home')
const bin = join(space.dir, 'bin')
const restored = join(space.dir, 'restored')
let product: Product
let clone = ''
let kubeconfigOfCluster = ''
let bad = ''
let gitBefore = { url: '', token: '' }
const cluster = spawn(
  process.execPath,
  ['dist/sluice.mjs', 'serve', 'kubed', '--state', join(space.dir, 'cluster'), '--node', 'none', '--port', '0'],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)

before(async () => {
  for (const dir of [checkout, bin, restored, join(home, '.config/fish/completions')])
    mkdirSync(dir, { recursive: true })
  const sluice = `#!/bin/sh\nexec '${process.execPath}' '${resolve('dist/sluice.mjs')}' "$@"\n`
  writeFileSync(join(bin, 'sluice'), sluice, { mode: 0o755 })
  const [ready] = (await once(createInterface(cluster.stdout), 'line')) as [string]
  kubeconfigOfCluster = (JSON.parse(ready) as { kubeconfig: string }).kubeconfig
  for (const name of ['dist', 'examples']) symlinkSync(resolve(name), join(checkout, name))
  const flags = ['--node', 'sim', ...(await keptPorts())]
  product = await startProduct(join(checkout, '.sluice'), resolve('examples/vps'), flags)
  await untilHealthy(6)
  clone = cloneOf(product, space.dir, 'main')
  symlinkSync(product.state, join(clone, '.sluice'))
  writeFileSync(join(clone, '.git/info/exclude'), '.sluice\n')
})
after(async () => {
  await product?.kill('SIGTERM')
  const ended = once(cluster, 'exit')
  if (cluster.kill('SIGTERM')) await ended
  space.release()
})

const WAYS: readonly Way[] = [
  {
    page: 'README.md',
    begins: 'node dist/sluice.mjs status',
    needs: ['kubectl'],
    cwd: () => checkout,
    put: () => [['<commit|image|pod>', git(clone, 'rev-parse', 'HEAD')]],
    then(printed) {
      assert.match(printed, /^api-gateway +staging +develop-\d/m)
      assert.match(printed, /in production, commit \w+: healthy/)
      assert.match(printed, /^flux-system +production +main@sha1:\w+ +False +True/m)
      assert.match(printed, /apps\/api-gateway\/deployment\.yaml:\d+:\d+  read from the file/)
    },
  },
  {
    page: 'docs/guide.md',
    begins: 'N=api-billing',
    before: () => cpSync(join(clone, 'api-generation'), join(clone, 'api-billing'), { recursive: true }),
    then: async () =>
      void (await untilDelivered(product, 'api-billing', 'production', git(clone, 'rev-parse', 'HEAD'))),
  },
  {
    page: 'docs/guide.md',
    begins: 'sluice suspend kustomization production',
    needs: ['kubectl'],
    before: () => (bad = change(clone, 'README.md', (text) => `${text}\nA mistake.\n`, 'docs: a mistake')),
    put: () => [['COMMIT', bad]],
    async then(printed) {
      assert.match(printed, /rolled out/)
      assert.match(printed, /^Kustomization flux-system\/production is suspended/m)
      assert.doesNotMatch(readFileSync(join(clone, 'README.md'), 'utf8'), /A mistake/)
      await until('what was set by hand is gone', async () => {
        const cell = await cellOf(product, 'api-gateway', 'production')
        return cell?.state === 'done' && cell.version !== '1.0.3'
      })
    },
  },
  {
    page: 'docs/guide.md',
    begins: 'sluice() {',
    put: () => [
      ['/path/to/sluice', resolve('.')],
      ['source <(sluice completion zsh)', isOnPath('zsh') ? 'zsh -c "$(sluice completion zsh)"' : ':'],
    ],
    then: () => assert.match(readFileSync(join(home, '.config/fish/completions/sluice.fish'), 'utf8'), /complete/),
  },
  {
    page: 'docs/operations.md',
    begins: 'sluice down --state /var/lib/sluice',
    put: () => [
      ['/var/lib/sluice', product.state],
      ['-C /var/lib', `-C ${checkout}`],
      [' sluice ', ' .sluice '],
      // packed without gzip: images do not get smaller, and take seconds
      ['-czf', '-cf'],
      ['systemctl start sluice', `tar -C ${restored} -xf sluice.tar.gz`],
    ],
    async then() {
      const { url, token } = gitBefore
      assert.equal(await product.exited, 0)
      product = await startProduct(join(restored, '.sluice'), resolve('examples/vps'), ['--node', 'sim'])
      assert.deepEqual([product.access.git.url, product.access.git.token], [url, token])
      await untilHealthy(7)
    },
    before: () => (gitBefore = product.access.git),
  },
  {
    page: 'docs/operations.md',
    begins: 'sluice token create ann',
    cwd: () => restored,
    then: (printed) => assert.match(printed, /^ann /m),
  },
  {
    page: 'docs/operations.md',
    begins: 'kubectl create namespace flux-system',
    needs: ['kubectl'],
    cwd: () => space.dir,
    before: () => runShell(ENGINE_FOR_A_MOMENT.replace('FILE', kubeconfigOfCluster), space.dir),
    put: () => [['FILE', kubeconfigOfCluster]],
    then: (printed) => assert.match(printed, /^flux-system +kustomization\/flux-system/m),
  },
  {
    page: 'docs/guide.md',
    begins: "kubectl -n flux-system scale deployment -l 'app",
    needs: ['kubectl'],
    cwd: () => space.dir,
    before: () => runShell(`kubectl create -f - <<'EOF'\n${JSON.stringify(SOURCE_CONTROLLER)}\nEOF`, space.dir),
    put: () => [
      ['sluice engine --kubeconfig FILE', ENGINE_FOR_A_MOMENT],
      ['FILE', kubeconfigOfCluster],
    ],
    then: (printed) => assert.match(printed, /source-controller scaled/),
  },
  {
    page: 'docs/guide.md',
    begins: 'kubectl -n flux-system scale deployment -l app',
    needs: ['kubectl'],
    cwd: () => space.dir,
    then: (printed) => assert.match(printed, /source-controller scaled/),
  },
]

/** An engine runs until it is told to end: here until it is ready. */
const ENGINE_FOR_A_MOMENT = `sluice engine --kubeconfig FILE --artifact-listen 127.0.0.1:0 --receiver-listen 127.0.0.1:0 > engine.out & engine=$!
  until grep -q traps engine.out; do kill -0 $engine; sleep 0.1; done; kill $engine; wait $engine`

const labels = { 'app.kubernetes.io/part-of': 'flux', 'app.kubernetes.io/component': 'source-controller' }
const SOURCE_CONTROLLER = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'source-controller', namespace: 'flux-system', labels },
  spec: {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'manager', image: 'source-controller' }] } },
  },
}

const blocks = ['README.md', ...readdirSync('docs').map((name) => join('docs', name))]
  .filter((page) => page.endsWith('.md'))
  .flatMap((page) => shellBlocks(page, readFileSync(page, 'utf8')))

function shellBlocks(page: string, text: string): readonly { readonly page: string; readonly text: string }[] {
  const fenced = text.matchAll(/^```(\w*)\n(.*?)^```/gms)
  return [...fenced].flatMap(([, language = '', text = '']) =>
    /^(sh|bash|console)?$/.test(language) ? [{ page, text }] : [],
  )
}

test('each shell block of the docs is run, or left out with a reason', () => {
  const known = [...WAYS, ...LEFT_OUT]
  for (const { page, text } of blocks)
    assert.equal(known.filter((one) => one.page === page && text.startsWith(one.begins)).length, 1, `${page}: ${text}`)
  for (const { page, begins } of known)
    assert.ok(
      blocks.some((block) => block.page === page && block.text.startsWith(begins)),
      `${page} has no block "${begins}" any more`,
    )
})

for (const way of WAYS) {
  const missing = way.needs?.find((tool) => !isOnPath(tool))
  const skip = missing === undefined ? false : `no ${missing} on the PATH`
  test(`${way.page} runs: ${way.begins}`, { timeout: LONG_MS, skip }, async () => {
    const block = blocks.find(({ page, text }) => page === way.page && text.startsWith(way.begins))
    way.before?.()
    const text = (way.put?.() ?? []).reduce((so, [from, to]) => so.replaceAll(from, to), block?.text ?? '')
    await way.then?.(runShell(text, way.cwd?.() ?? clone))
  })
}

/** As the reader does it, a command after the other: one that fails ends it, also before `&&`; `diff` alone may answer 1. */
function runShell(text: string, cwd: string): string {
  const script = text.replaceAll(' && ', '\n').replace(/^.*sluice\S* diff .*$/gm, '{ $&\n} || [ $? = 1 ]')
  const ran = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    cwd,
    encoding: 'utf8',
    timeout: PATIENCE_MS,
    env: {
      ...process.env,
      HOME: home,
      PATH: `${bin}:${process.env.PATH}`,
      KUBECONFIG: cwd === clone ? product.access.kube.kubeconfig : kubeconfigOfCluster,
      GIT_EDITOR: 'true',
    },
  })
  assert.equal(ran.status, 0, `${script}\n${ran.stdout}\n${ran.stderr}`)
  return ran.stdout
}

/** Waits until so many cells are there, all of them healthy. */
function untilHealthy(count: number): Promise<boolean> {
  return until(
    'everything is healthy',
    async () => {
      const cells = (await statusOf(product)).services.flatMap((service) => service.cells)
      return cells.length === count && cells.every((cell) => cell.state === 'done')
    },
    () => product.output().slice(-4000),
  )
}
