import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/adapters/clock.ts'
import { installCrds } from '../../src/adapters/engine/install-crds.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import type { KubeClient } from '../../src/adapters/kube/types.ts'
import { create } from '../../src/app/cli/create/create.ts'
import { debug } from '../../src/app/cli/objects/debug.ts'
import { deleteCommand } from '../../src/app/cli/objects/delete.ts'
import { exportCommand } from '../../src/app/cli/objects/export.ts'
import { get } from '../../src/app/cli/objects/get.ts'
import { reconcile } from '../../src/app/cli/objects/reconcile.ts'
import { stats } from '../../src/app/cli/objects/stats.ts'
import { trace } from '../../src/app/cli/deliveries/trace.ts'
import { tree } from '../../src/app/cli/objects/tree.ts'
import type { Command } from '../../src/app/cli/command.ts'
import { serveKubed } from '../../src/embedded/kubed/serve.ts'
import { LONG_MS } from '../support/wait.ts'

test('the commands about objects of Flux, on a cluster', { timeout: LONG_MS }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-flux-commands-'))
  const kubed = await serveKubed({ stateDir: dir, port: 0 })
  const client = clientFromKubeconfig(kubed.kubeconfig)
  const run = async (command: Command, ...words: string[]): Promise<[number, string]> => {
    const lines: string[] = []
    const take = (line: string) => void lines.push(line)
    const io = { out: take, err: take, env: {}, cwd: dir, isTty: false, signal: new AbortController().signal }
    return [await command.run([...words, '--kubeconfig', kubed.kubeconfig, '-n', 'team'], io), lines.join('\n')]
  }
  try {
    await installCrds(client, systemClock)
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }, { fieldManager: 'test' })
    for (const name of ['all', 'app'])
      assert.deepEqual(
        await run(create, 'kustomization', name, '--source', 'GitRepository/repo', '--path', './x', '--prune'),
        [0, `✔ Kustomization ${name} in team namespace created`],
      )
    const entries = {
      all: ['team_app_kustomize.toolkit.fluxcd.io_Kustomization', '_team__Namespace'],
      app: ['team_web_apps_Deployment', 'team_all_kustomize.toolkit.fluxcd.io_Kustomization'],
    }
    for (const [name, ids] of Object.entries(entries)) {
      const ref = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'team', name }
      const inventory = { entries: ids.map((id) => ({ id, v: 'v1' })) }
      await client.patch(ref, 'merge', { status: { inventory } }, { fieldManager: 'test', subresource: 'status' })
    }
    assert.deepEqual(await run(tree, 'ks', 'all'), [
      0,
      'Kustomization/team/all\n├── Kustomization/team/app\n│   ├── Deployment/team/web\n│   └── Kustomization/team/all\n└── Namespace/team',
    ])
    const [code, text] = await run(exportCommand, 'kustomization', 'app')
    assert.equal(code, 0)
    assert.match(
      text,
      /^---\napiVersion: kustomize\.toolkit\.fluxcd\.io\/v1\nkind: Kustomization\nmetadata:\n {2}name: app\n {2}namespace: team\nspec:\n/,
    )
    assert.doesNotMatch(text, /status|uid|managedFields/)
    await client.create(
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'vars', namespace: 'team' },
        data: { b: 'from map', a: '1' },
      },
      { fieldManager: 'test' },
    )
    assert.match((await run(exportCommand, 'configmap', 'vars'))[1], /^---\napiVersion: v1\ndata:\n {2}a: "1"\n/)
    const app = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'team', name: 'app' }
    const postBuild = { substitute: { b: 'own' }, substituteFrom: [{ kind: 'ConfigMap', name: 'vars' }] }
    await client.patch(app, 'merge', { spec: { postBuild } }, { fieldManager: 'test' })
    assert.deepEqual(await run(debug, 'kustomization', 'app', '--show-vars'), [0, 'a=1\nb=own'])
    assert.match(
      (await run(debug, 'kustomization', 'app', '--show-status'))[1],
      /^# Status documentation: .*\ninventory:\n/,
    )
    assert.match((await run(stats))[1], /Kustomization +2 +0 +0/)
    assert.match((await run(stats, '-o', 'yaml'))[1], /kind: Kustomization\n/)
    await watched(client, kubed.kubeconfig, dir)
    await listed(client, run)
    await traced(client, run)
    assert.deepEqual(await run(deleteCommand, 'kustomization', 'app', '--silent'), [
      0,
      '✔ Kustomization app in team namespace deleted',
    ])
    assert.equal((await run(exportCommand, 'kustomization', 'app'))[0], 1)
    await assert.rejects(run(tree, 'ks', 'app'), { code: 'OBJECT_MISSING' })
  } finally {
    client.close()
    await kubed.close()
    rmSync(dir, { recursive: true, force: true })
  }
})

type Run = (command: Command, ...words: string[]) => Promise<[number, string]>
const squeezed = (text: string): string => text.replaceAll(/ {2,}/g, ' ')
const HASH = '5ae21561b6ae714ddbebe2ef26b3e0532a2fd82c'
const REVISION = `main@sha1:${HASH}`

async function show(client: KubeClient, apiVersion: string, kind: string, name: string, status: object): Promise<void> {
  const ref = { apiVersion, kind, namespace: 'team', name }
  await client.patch(ref, 'merge', { status }, { fieldManager: 'test', subresource: 'status' })
}

/** Every kind with the columns of flux: names and texts as its own command prints them. */
async function listed(client: KubeClient, run: Run): Promise<void> {
  await run(create, 'source', 'git', 'repo', '--url', 'https://example.com/repo', '--branch', 'main')
  await run(create, 'source', 'bucket', 'b', '--bucket-name', 'b', '--endpoint', 's3:9000', '--ignore-paths', '/a,/b')
  await run(create, 'alert-provider', 'chat', '--type', 'slack', '--channel', 'c')
  await run(create, 'alert', 'al', '--provider-ref', 'chat', '--event-source', 'Kustomization/*')
  const message = `stored artifact for revision '${REVISION}'`
  const conditions = [
    { type: 'Ready', status: 'True', reason: 'Succeeded', message, lastTransitionTime: '2026-01-02T03:04:05Z' },
  ]
  const artifact = {
    revision: REVISION,
    digest: 'sha256:1',
    path: 'p',
    url: 'http://a',
    lastUpdateTime: '2026-01-02T03:04:05Z',
  }
  await show(client, 'source.toolkit.fluxcd.io/v1', 'GitRepository', 'repo', { artifact, conditions })
  const rows: [words: string, want: string][] = [
    [
      'sources git',
      `NAME REVISION SUSPENDED READY MESSAGE\nrepo main@sha1:5ae21561 False True stored artifact for revision 'main@sha1:5ae21561'`,
    ],
    [
      'sources git -o wide',
      `NAME REVISION SUSPENDED READY MESSAGE URL\nrepo ${REVISION} False True ${message} https://example.com/repo`,
    ],
    ['sources bucket', 'NAME REVISION SUSPENDED READY MESSAGE\nb False Unknown waiting to be reconciled'],
    ['alert-providers', 'NAME READY MESSAGE\nchat True Provider is Ready'],
    ['alerts', 'NAME SUSPENDED READY MESSAGE\nal False True Alert is Ready'],
    ['sources git --status-selector ready=false', 'No resources found in team namespace.'],
    ['sources git --no-header', `repo main@sha1:5ae21561 False True stored artifact for revision 'main@sha1:5ae21561'`],
    ['helmreleases', 'No resources found in team namespace.'],
    ['sources external', 'No resources found in team namespace.'],
  ]
  for (const [words, want] of rows) assert.equal(squeezed((await run(get, ...words.split(' ')))[1]), want, words)
  const kinds = squeezed((await run(get, 'all'))[1]).match(/^[a-z]+(?=\/)/gm)
  assert.deepEqual([...new Set(kinds)], ['gitrepository', 'bucket', 'kustomization', 'provider', 'alert'])
  assert.equal((await run(get, 'ks', '--status-selector', 'soon'))[0], 2)
  assert.match((await run(reconcile, 'alert-provider', 'chat'))[1], /Providers have no status and nothing to reconcile/)
}

/** An object of the cluster to its Kustomization and source, line by line as `flux trace` prints it. */
async function traced(client: KubeClient, run: Run): Promise<void> {
  const conditions = [
    { type: 'Ready', status: 'True', reason: 'x', message: 'Applied', lastTransitionTime: '2026-01-02T03:04:06Z' },
  ]
  await show(client, 'kustomize.toolkit.fluxcd.io/v1', 'Kustomization', 'app', {
    lastAppliedRevision: REVISION,
    conditions,
  })
  const labels = { 'kustomize.toolkit.fluxcd.io/name': 'app', 'kustomize.toolkit.fluxcd.io/namespace': 'team' }
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'team', name: 'vars' }
  await client.patch(ref, 'merge', { metadata: { labels } }, { fieldManager: 'test' })
  const want = `
Object:          ConfigMap/vars
Namespace:       team
Status:          Managed by Flux
---
Kustomization:   app
Namespace:       team
Path:            ./x
Revision:        ${REVISION}
Status:          Last reconciled at 2026-01-02 03:04:06 +0000 UTC
Message:         Applied
---
GitRepository:   repo
Namespace:       team
URL:             https://example.com/repo
Branch:          main
Revision:        ${REVISION}
Status:          Last reconciled at 2026-01-02 03:04:05 +0000 UTC
Message:         stored artifact for revision '${REVISION}'`
  for (const words of [['configmap', 'vars'], ['cm/vars'], ['--kind', 'ConfigMap', '--api-version', 'v1', 'vars']])
    assert.deepEqual(await run(trace, ...words), [0, want])
  await assert.rejects(run(trace, 'namespace', 'team'), /Namespace\/team is not managed by Flux/)
}

/** A watch shows what a list shows: by labels and status, too. */
async function watched(client: KubeClient, kubeconfig: string, cwd: string): Promise<void> {
  const lines: string[] = []
  const over = new AbortController()
  const out = (line: string): void => {
    lines.push(line)
    if (lines.length === 1) void label('no').then(() => label('yes'))
    else over.abort()
  }
  const app = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'team', name: 'app' }
  const label = (shown: string) =>
    client.patch(app, 'merge', { metadata: { labels: { shown } } }, { fieldManager: 'test' })
  const io = { out, err: out, env: {}, cwd, isTty: false, signal: over.signal }
  await get.run(['ks', '-w', '-l', 'shown=yes', '--kubeconfig', kubeconfig, '-n', 'team'], io)
  assert.equal(lines.length, 2)
  assert.doesNotMatch(lines[0] ?? '', /app|all/)
  assert.match(lines[1] ?? '', /^app /)
}
