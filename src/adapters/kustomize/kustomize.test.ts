import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { build, renderBuild, type BuildOptions } from '../../lib/kustomize/build.ts'
import { diskTree } from '../files/disk-tree.ts'
import { diskHelm } from './helm.ts'
import { diskRemote } from './remote.ts'

const root = mkdtempSync(join(tmpdir(), 'sluice-remote-'))
after(() => rmSync(root, { recursive: true, force: true }))

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

function built(dir: string, options: BuildOptions): string {
  return renderBuild(build(diskTree(), join(root, dir), options))
}

const remote = diskRemote(join(root, 'cache'))

test('remote base: a folder of a repository at a ref, its own bases included', () => {
  write({
    'repo/base/kustomization.yaml': 'resources: [cm.yaml]',
    'repo/base/cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}',
    'repo/dev/kustomization.yaml': 'resources: [../base]\nnameSuffix: -dev',
    'repo/out/kustomization.yaml': 'resources: [../../secret]',
    'secret/kustomization.yaml': 'resources: []\nnamePrefix: x',
    'top/kustomization.yaml': `resources: ['file://${root}/repo//dev?ref=main']`,
    'escape/kustomization.yaml': `resources: ['file://${root}/repo//out?ref=main']`,
  })
  const git = (...args: string[]): Buffer =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: join(root, 'repo') })
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-qm', 'first')
  assert.match(built('top', { remote }), /name: a-dev/)
  assert.throws(() => built('top', {}), /remote base or file .* is not fetched/)
  assert.throws(() => built('escape', { remote }), /lstat .*secret: no such file|security; file/)
  const commit = git('rev-parse', 'HEAD').toString().trim()
  write({ 'pinned/kustomization.yaml': `resources: ['file://${root}/repo//dev?ref=${commit}']` })
  rmSync(join(root, 'repo'), { recursive: true })
  assert.match(built('pinned', { remote }), /name: a-dev/, 'a commit that is at hand is not fetched again')
  assert.equal(readdirSync(join(root, 'cache')).length, 1)
})

const hostile = [
  ['an option in place of a ref', 'https://127.0.0.1:1/a/b?ref=--upload-pack=touch%20x', /names an option of git/],
  ['a transport that runs a program', 'ext::sh -c "touch pwned" %/a/b', /no such file/],
] as const
for (const [what, url, want] of hostile)
  test(`remote base: refuses ${what}`, () => {
    write({ 'hostile/kustomization.yaml': `resources: [${JSON.stringify(url)}]` })
    assert.throws(() => built('hostile', { remote }), want)
    assert.ok(!existsSync(join(root, 'hostile/pwned')))
  })

test('remote file: over HTTP, and a refusal in the words of the original', async () => {
  const script = `
    import { createServer } from 'node:http'
    createServer((req, res) => {
      if (req.url === '/moved') return res.writeHead(302, { location: 'file:///etc/passwd' }).end()
      res.statusCode = req.url === '/cm' ? 200 : 404
      res.end('{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}')
    }).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`
  const server = spawn(process.execPath, ['--input-type=module', '-e', script])
  try {
    const port = await new Promise((ready) => server.stdout.once('data', (data) => ready(String(data).trim())))
    const from = (path: string): string => {
      write({ 'http/kustomization.yaml': `resources: ['http://127.0.0.1:${String(port)}${path}']` })
      return built('http', { remote })
    }
    assert.match(from('/cm'), /name: b/)
    assert.throws(() => from('/none'), /HTTP Error: status code 404 \(Not Found\)/)
    assert.throws(() => from('/moved'), /unsupported protocol scheme "file"/)
  } finally {
    server.kill()
  }
})

test('helm: arguments, values and namespace as the original gives them', () => {
  write({
    'helm.sh': `#!/bin/sh
case "$1" in
version) echo v3.16.4 ;;
*) echo "apiVersion: v1
kind: ConfigMap
metadata: {name: out}
data: {args: '$*'}" ;;
esac
`,
    'chart/charts/c/values.yaml': 'a: 1\nb: {c: 2}\n',
    'chart/kustomization.yaml':
      'namespace: ns\nnamePrefix: p-\nhelmCharts: [{name: c, releaseName: r, includeCRDs: true, valuesInline: {b: {c: 3}}}]',
  })
  chmodSync(join(root, 'helm.sh'), 0o755)
  const yaml = built('chart', { helm: diskHelm({ command: join(root, 'helm.sh') }) })
  assert.match(yaml, /name: p-out\n$/, 'the namespace is left to Helm')
  assert.match(yaml.replace(/\n +/g, ' '), /args: template r \S+\/charts\/c --namespace ns -f \S+ --include-crds/)
  assert.throws(() => built('chart', {}), /HelmChartInflationGenerator with config: `\n.*must specify --enable-helm/s)
})
