// Charts by the real helm: what `kustomize build --enable-helm` prints, and says where it fails, for every option of helmCharts; charts from the
// folder, from an HTTP repository and from our own registry. Needs helm and kustomize among the peers (scripts/peers.sh).
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { serveRegistryd, type Registryd } from '../../src/embedded/registryd/serve.ts'

const peers = process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers')
const [helm, kustomize] = [join(peers, 'helm'), process.env['KUSTOMIZE'] ?? join(peers, 'kustomize')]
const missing = [helm, kustomize].filter((path) => !existsSync(path))
const skip = missing.length === 0 ? false : `no ${missing.join(', no ')} (scripts/peers.sh)`
const bundle = resolve('dist/sluice.mjs')
const root = mkdtempSync(join(tmpdir(), 'sluice-helm-'))

let repository: Server | undefined
let registry: Registryd | undefined
let url = ''

before(async () => {
  if (skip) return
  const charts = join(root, 'made')
  mkdirSync(charts)
  run(helm, ['create', 'web'], charts)
  run(helm, ['create', 'tiny'], charts)
  shrink(join(charts, 'tiny'))
  const packages = join(root, 'repository')
  mkdirSync(packages)
  for (const version of ['1.0.0', '1.1.0', '2.0.0-rc1'])
    run(helm, ['package', join(charts, 'tiny'), '--version', version, '--app-version', version], packages)
  repository = createServer((request, response) => {
    const file = join(packages, request.url ?? '')
    response.writeHead(existsSync(file) ? 200 : 404).end(existsSync(file) ? readFileSync(file) : undefined)
  }).listen(0, '127.0.0.1')
  await new Promise((ready) => repository?.once('listening', ready))
  const address = repository.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  run(helm, ['repo', 'index', '.', '--url', url], packages)
  registry = await serveRegistryd({ root: join(root, 'registry'), port: 0, onPush: () => {} })
  const push = ['push', 'tiny-1.0.0.tgz', `oci://${registry.host}/charts`, '--plain-http']
  await new Promise((done, fail) =>
    execFile(helm, push, { cwd: packages }, (error) => (error ? fail(error) : done(undefined))),
  )
})
after(async () => {
  repository?.close()
  await registry?.close()
  rmSync(root, { recursive: true, force: true })
})

function run(program: string, argv: readonly string[], cwd: string): void {
  execFileSync(program, argv, { cwd, stdio: 'pipe' })
}

/** A chart whose output says what it was rendered with: values, release, capabilities, hooks, tests, definitions. */
function shrink(chart: string): void {
  for (const name of readdirSync(join(chart, 'templates')))
    rmSync(join(chart, 'templates', name), { recursive: true, force: true })
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(chart, name)), { recursive: true })
    writeFileSync(join(chart, name), text)
  }
  write(
    'values.yaml',
    'a: {b: 1, c: [x, y], d: ""}\nlist: [1, 2]\ntext: plain\nflag: true\nnumber: 1.50\nfail: false\n',
  )
  write(
    'crds/things.yaml',
    'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\nspec: {group: example.com}\n',
  )
  write(
    'templates/values.yaml',
    `{{- if .Values.fail }}{{ fail "asked to fail" }}{{ end -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-values
  namespace: {{ .Release.Namespace }}
data:
  values: {{ .Values | toJson | quote }}
  kube: {{ .Capabilities.KubeVersion | quote }}
  thing: {{ .Capabilities.APIVersions.Has "example.com/v1/Thing" | quote }}
  chart: {{ .Chart.Version | quote }}
---
apiVersion: v1
kind: Service
metadata: {name: plain}
spec: {selector: {app: plain}}
`,
  )
  const hook = (name: string, kind: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, annotations: {"helm.sh/hook": ${kind}}}\nspec: {containers: [{name: a, image: nginx}]}\n`
  write('templates/hook.yaml', hook('hook', 'pre-install'))
  write('templates/tests/test.yaml', hook('test', 'test'))
}

type Case = { readonly it: string; readonly kustomization: string; readonly files?: Readonly<Record<string, string>> }

const chart = (more: string, file = ''): string => `helmCharts:\n- {name: tiny, releaseName: r${more}}\n${file}`
const values = { 'values.yaml': 'a: {b: 2, e: new}\ntext: from file\n', 'more.yaml': 'text: more\nlist: [9]\n' }
const inline = ', valuesInline: {a: {b: 3, c: [z]}, text: inline, number: 010, list: null, flag: yes}'

const cases: readonly Case[] = [
  { it: 'a chart of the folder', kustomization: chart('') },
  { it: 'the chart that helm creates', kustomization: 'helmCharts:\n- {name: web, releaseName: w, namespace: n}\n' },
  { it: 'a namespace of its own', kustomization: chart(', namespace: one') },
  { it: "the kustomization's namespace", kustomization: chart('', 'namespace: two\nnamePrefix: p-\n') },
  { it: 'both namespaces', kustomization: chart(', namespace: one', 'namespace: two\n') },
  { it: 'a values file', kustomization: chart(', valuesFile: values.yaml'), files: values },
  {
    it: 'more values files',
    kustomization: chart(', valuesFile: values.yaml, additionalValuesFiles: [more.yaml]'),
    files: values,
  },
  ...['', ', valuesMerge: override', ', valuesMerge: merge', ', valuesMerge: replace', ', valuesMerge: wrong'].flatMap(
    (merge) => [
      { it: `inline values${merge}`, kustomization: chart(inline + merge) },
      {
        it: `inline values over a file${merge}`,
        kustomization: chart(`${inline}, valuesFile: values.yaml${merge}`),
        files: values,
      },
    ],
  ),
  { it: 'definitions', kustomization: chart(', includeCRDs: true') },
  {
    it: 'API versions and a version of Kubernetes',
    kustomization: chart(', apiVersions: [example.com/v1/Thing], kubeVersion: "1.27"'),
  },
  { it: 'no hooks', kustomization: chart(', skipHooks: true') },
  { it: 'no tests', kustomization: chart(', skipTests: true') },
  { it: 'a name by template', kustomization: 'helmCharts:\n- {name: tiny, nameTemplate: "{{ \\"abc\\" }}"}\n' },
  { it: 'a template that fails', kustomization: chart(', valuesInline: {fail: true}') },
  { it: 'a template that fails, with debug', kustomization: chart(', valuesInline: {fail: true}, debug: true') },
  { it: 'debug', kustomization: chart(', debug: true') },
  { it: 'a chart that is not there', kustomization: 'helmCharts:\n- {name: none, releaseName: r}\n' },
  { it: 'a values file that is not there', kustomization: chart(', valuesFile: none.yaml') },
  { it: 'no name', kustomization: 'helmCharts:\n- {releaseName: r}\n' },
  {
    it: 'a home of charts',
    kustomization: chart('', 'helmGlobals: {chartHome: elsewhere}\n'),
    files: { 'elsewhere/.keep': '' },
  },
  {
    it: 'two charts, patched',
    kustomization: `helmCharts:\n- {name: tiny, releaseName: a}\n- {name: web, releaseName: b, skipHooks: true, skipTests: true, valuesInline: {replicaCount: 3}}\nnameSuffix: -s\npatches:\n- {target: {kind: Service}, patch: '[{"op": "add", "path": "/spec/x", "value": 1}]'}\n`,
  },
  {
    it: 'the old field',
    kustomization: 'helmChartInflationGenerator:\n- {chartName: tiny, releaseName: old, values: values.yaml}\n',
    files: values,
  },
  {
    it: 'a generator',
    kustomization:
      'generators:\n- |\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  metadata: {name: g}\n  name: tiny\n  releaseName: g\n  valuesInline: {text: generated}\n',
  },
  { it: 'origins', kustomization: chart('', 'buildMetadata: [originAnnotations]\n') },
  { it: 'a repository', kustomization: 'helmCharts:\n- {name: tiny, releaseName: r, repo: URL, version: 1.0.0}\n' },
  { it: 'the newest of a repository', kustomization: 'helmCharts:\n- {name: tiny, releaseName: r, repo: URL}\n' },
  {
    it: 'development versions',
    kustomization: 'helmCharts:\n- {name: tiny, releaseName: r, repo: URL, devel: true}\n',
  },
  {
    it: 'a version that is not there',
    kustomization: 'helmCharts:\n- {name: tiny, releaseName: r, repo: URL, version: 9.9.9}\n',
  },
  {
    it: 'a registry',
    kustomization: 'helmCharts:\n- {name: tiny, releaseName: r, repo: "oci://HOST/charts", version: 1.0.0}\n',
  },
]

for (const { it, kustomization, files = {} } of cases)
  test(`helm: ${it}`, { skip }, async () => {
    const text = kustomization.replaceAll('URL', url).replaceAll('HOST', registry?.host ?? '')
    const isRemote = text !== kustomization
    const argv = ['build', '--enable-helm', '--helm-command', helm, '.']
    const theirs = await build(kustomize, argv, folder(text, files, isRemote))
    const mine = await build(process.execPath, [bundle, ...argv], folder(text, files, isRemote))
    assert.deepEqual(mine, theirs)
  })

/** A folder to build; the same path for both, so that what messages show is the same. */
function folder(kustomization: string, files: Readonly<Record<string, string>>, isRemote: boolean): string {
  const dir = join(root, 'tree')
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir)
  writeFileSync(join(dir, 'kustomization.yaml'), kustomization)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text)
  }
  if (!isRemote)
    cpSync(join(root, 'made'), join(dir, 'elsewhere' in files || 'elsewhere/.keep' in files ? 'elsewhere' : 'charts'), {
      recursive: true,
    })
  return dir
}

/** What a build prints, or the first line of its error; folders for one run and the names of releases that helm makes up are left out. */
async function build(program: string, argv: readonly string[], cwd: string): Promise<{ ok: boolean; text: string }> {
  return new Promise((done) =>
    execFile(program, argv, { cwd, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const line = stderr.split('\n').find((one) => one.startsWith('Error: ')) ?? ''
      const text = (error ? line : stdout).replace(/kustomize-helm-[A-Za-z0-9]+/g, 'kustomize-helm-x')
      done({ ok: error === null, text })
    }),
  )
}
