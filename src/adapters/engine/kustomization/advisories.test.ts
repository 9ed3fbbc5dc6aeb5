import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseKustomization } from '../../../kinds/kustomization.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { treeOfFiles } from '../../../lib/kustomize/files/tree.ts'
import { buildKustomization } from '../../../pipeline/build/build-kustomization.ts'
import { substituteObjects } from '../../../pipeline/build/substitute-objects.ts'
import { maskSecret } from '../../../pipeline/apply/mask-secret.ts'
import { readKubeconfig } from '../../kube/kubeconfig.ts'
import { claimsFault } from '../../../pipeline/receiver/token-proof.ts'
import { cleanPath } from '../../../pipeline/source/safe-path.ts'
import { layOver } from '../source/content.ts'
import { systemClock } from '../../clock.ts'
import type { EngineContext } from '../context.ts'
import { DEFAULT_FLAGS } from '../flags.ts'
import { fetchDecryption } from './build/decryption.ts'
import { decryptByGpg } from './build/gpg.ts'
import { refusalOf } from './refusal.ts'
import { readRemoteConfig } from './apply/remote-config.ts'

// Published advisories of this field that concern Kustomizations: each a test.
const kustomization = (spec: Record<string, unknown>) =>
  parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'ns' },
    spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' }, ...spec },
  })

const noTokens = (): Promise<string> => assert.fail('a kubeconfig in a Secret has its own login')

/** An API server that holds one Secret. */
const holding = (data: Record<string, string>): EngineContext => {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: Object.fromEntries(encoded) }
  return { traps: 'safe', flags: DEFAULT_FLAGS, client: { get: async () => secret } } as unknown as EngineContext
}

const kubeconfig = (user: Record<string, unknown>, cluster: Record<string, unknown> = {}): string =>
  JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1', ...cluster } }],
    users: [{ name: 'u', user }],
  })

const configs: { it: string; value: string; why: RegExp }[] = [
  { it: 'a program', value: kubeconfig({ exec: { command: 'sh' } }), why: /wants exec, which would run a program/ },
  { it: 'a login plug-in', value: kubeconfig({ 'auth-provider': { name: 'x' } }), why: /wants auth-provider/ },
  { it: 'a file with a token', value: kubeconfig({ tokenFile: '/etc/passwd' }), why: /only data is allowed here/ },
  { it: 'a file with a key', value: kubeconfig({ 'client-key': '/etc/passwd' }), why: /only data is allowed here/ },
  {
    it: 'a file with an authority',
    value: kubeconfig({}, { 'certificate-authority': '/etc/passwd' }),
    why: /only data is allowed here/,
  },
  { it: 'the path of a file instead of a kubeconfig', value: '/etc/passwd', why: /is not a kubeconfig/ },
]
for (const field of ['as-groups', 'as-uid', 'as-user-extra'])
  test(`CVE-2026-23990: an identity that says ${field} and no name is refused, not run as ourselves`, () => {
    for (const as of [{}, { as: '' }])
      assert.throws(() => readKubeconfig(kubeconfig({ token: 't', ...as, [field]: ['system:masters'] })), {
        code: 'KUBE_CONFIG',
        message: /but not as whom: refused/,
      })
  })
test('CVE-2026-23990: claims of nobody pass no validation', () => {
  const validations = [{ expression: "claims.sub == 'repo'", message: 'wrong repo' }]
  const provider = { issuerUrl: 'https://i', audience: 'a', variables: [], validations }
  assert.throws(() => claimsFault(provider, {}), /no such key: sub/)
  assert.match(claimsFault(provider, { sub: '' }) ?? '', /wrong repo/)
})

test('CVE-2022-24768: where namespaces are kept apart, no source of another one is reached', () => {
  const foreign = kustomization({ sourceRef: { kind: 'GitRepository', name: 'app', namespace: 'other' } })
  assert.equal(refusalOf(foreign, { ...rules, crossNamespace: true }), undefined)
  assert.deepEqual(refusalOf(foreign, { ...rules, crossNamespace: false }), {
    reason: 'AccessDenied',
    message: "can't access 'GitRepository/other/app', cross-namespace references have been blocked",
  })
  assert.equal(refusalOf(kustomization({}), { ...rules, crossNamespace: false }), undefined)
})

for (const { it, value, why } of configs)
  test(`CVE-2022-24817: a kubeconfig may not name ${it}`, async () => {
    const reference = { kind: 'Secret', name: 's', key: undefined } as const
    const text = await readRemoteConfig(holding({ value }), 'ns', reference, noTokens)
    assert.throws(() => readKubeconfig(text), { code: 'KUBE_CONFIG', message: why })
  })

test('CVE-2022-24817: a kubeconfig of an object does not turn off that certificates are verified', async () => {
  const value = kubeconfig({ token: 't' }, { 'insecure-skip-tls-verify': true })
  const text = await readRemoteConfig(holding({ value }), 'ns', { kind: 'Secret', name: 's', key: undefined }, noTokens)
  assert.equal(readKubeconfig(text).insecure, false)
})

const secretFile = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: stolen}\ndata: {password: hunter2}\n'
const outside = '../../etc/secret.yaml'
const escapes: Record<string, unknown> = {
  resources: { resources: [outside] },
  'absolute resources': { resources: ['/etc/secret.yaml'] },
  components: { components: ['../../etc'] },
  bases: { bases: ['../../etc'] },
  crds: { crds: [outside] },
  openapi: { openapi: { path: outside } },
  configurations: { configurations: [outside] },
  patches: { patches: [{ path: outside }] },
  'strategic patches': { patchesStrategicMerge: [outside] },
  'JSON patches': { patchesJson6902: [{ target: { version: 'v1', kind: 'ConfigMap', name: 'a' }, path: outside }] },
  replacements: { replacements: [{ path: outside }] },
  transformers: { transformers: [outside] },
  'files of a generator': { configMapGenerator: [{ name: 'a', files: [outside] }] },
  'envs of a generator': { secretGenerator: [{ name: 'a', envs: [outside] }] },
}
for (const [what, file] of Object.entries(escapes))
  test(`CVE-2022-24877: ${what} may not leave the source`, () => {
    const files = { '/src/app/kustomization.yaml': JSON.stringify(file), '/etc/secret.yaml': secretFile }
    const tree = treeOfFiles(
      new Map(Object.entries({ ...files, '/etc/kustomization.yaml': 'resources: [secret.yaml]\n' })),
    )
    assert.throws(
      () => buildKustomization({ tree, root: '/src', path: 'app', spec: {} }),
      (error: Error) => !error.message.includes('hunter2'),
    )
  })

test('CVE-2022-36049: a small text that unfolds into a large one is refused', () => {
  const lists = Array.from(
    { length: 12 },
    (_, at) => `l${at + 1}: &l${at + 1} [${Array(9).fill(`*l${at}`).join(', ')}]`,
  )
  const bomb = ['apiVersion: v1', 'kind: ConfigMap', 'metadata: {name: a}', 'l0: &l0 [x]', ...lists].join('\n')
  const files = { '/kustomization.yaml': 'resources: [a.yaml]\n', '/a.yaml': bomb }
  assert.throws(() => buildKustomization({ tree: treeOfFiles(new Map(Object.entries(files))), path: './', spec: {} }))
})

const escaping = ['../sibling/a', '../../a', 'x/../../a', '/../a', './../a', 'x/./../../a']
for (const path of escaping)
  test(`CVE-2026-47680: "${path}", as key of a bucket or target of an include, stays inside`, () => {
    assert.doesNotMatch(cleanPath(path), /(^|\/)\.\.(\/|$)|^\//)
    const content = {
      files: new Map([['a', { path: 'a', hash: 'h', isExecutable: false }]]),
      read: async () => Buffer.of(),
    }
    const { files } = layOver({ ...content, files: new Map() }, [{ content, fromPath: '', toPath: path }])
    for (const inside of files.keys()) assert.doesNotMatch(inside, /(^|\/)\.\.(\/|$)|^\//)
    assert.equal(files.size, 1)
  })

test('CVE-2022-24878: kustomizations that lead to each other end with an error', () => {
  const files = { '/a/kustomization.yaml': 'resources: [../b]\n', '/b/kustomization.yaml': 'resources: [../a]\n' }
  const tree = treeOfFiles(new Map(Object.entries(files)))
  assert.throws(() => buildKustomization({ tree, path: 'a', spec: {} }), /cycl/)
})

for (const text of ['1d', '', 'forever', '-5m', '9999999999999h', '1h'.repeat(10_000), '$(reboot)'])
  test(`CVE-2022-39272: the interval ${JSON.stringify(text.slice(0, 20))} stops nobody`, () => {
    const parsed = kustomization({ interval: text, timeout: text, retryInterval: text })
    assert.ok(Number.isFinite(parsed.intervalMs) && parsed.intervalMs > 0)
    if (parsed.invalid !== undefined)
      assert.equal(refusalOf(parsed, { ...rules, crossNamespace: true })?.reason, 'InvalidSpec')
  })

test('CVE-2022-39272: an interval of years does not look without end', async () => {
  let looks = 0
  const cancel = systemClock.after(1e12, () => looks++)
  await new Promise<void>((resolve) => setTimeout(resolve, 5))
  cancel()
  assert.equal(looks, 0)
})

test('CVE-2021-41254: what looks like shell in names, values and keys runs nowhere', async () => {
  const trap = join(tmpdir(), `sluice-shell-${process.pid}`)
  const shell = `$(touch ${trap}); \`touch ${trap}\` | touch ${trap}`
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a' },
    stringData: { a: shell, b: '${x}' },
  } as KubeObject
  const [filled] = substituteObjects([object], { variables: { x: shell } })
  assert.equal((filled as unknown as { stringData: Record<string, string> }).stringData['b'], shell)
  await assert.rejects(decryptByGpg(shell, [Buffer.from(shell)]), { code: 'SOPS_KEY' })
  assert.equal(existsSync(trap), false)
})

test('CVE-2024-31216: a key that cannot be read is not in the error', async () => {
  const spec = { decryption: { provider: 'sops', secretRef: { name: 's' } } }
  await assert.rejects(fetchDecryption(holding({ 'a.agekey': 'hunter2' }), kustomization(spec)), (error: Error) => {
    assert.match(error.message, /^failed to import 'a\.agekey' data from sops decryption Secret 'ns\/s'/)
    return !error.message.includes('hunter2')
  })
})

const rules = { traps: 'safe', flags: DEFAULT_FLAGS } as const

test('CVE-2025-23216: a diff of a Secret shows that values differ, never the values', () => {
  const secret = (value: string): KubeObject => {
    const copy = { 'kubectl.kubernetes.io/last-applied-configuration': value }
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'a', annotations: copy },
      data: { a: value },
      stringData: { b: value },
    } as KubeObject
  }
  const shown = JSON.stringify(maskSecret({ before: secret('hunter2'), after: secret('hunter3') }))
  assert.equal(/hunter/.test(shown), false)
})

test('no program is started by a shell', () => {
  const paths = (readdirSync('src', { recursive: true }) as string[]).filter((path) => /(?<!\.test)\.ts$/.test(path))
  const starters = paths
    .map((path) => [path, readFileSync(join('src', path), 'utf8')] as const)
    .filter(([, text]) => text.includes("from 'node:child_process'"))
  assert.ok(starters.length > 10)
  for (const [path, text] of starters)
    assert.doesNotMatch(
      text,
      /import \{[^}]*\bexec(Sync)?\b[^}]*\} from 'node:child_process'|\bshell: (true|['"`/])/,
      path,
    )
})
