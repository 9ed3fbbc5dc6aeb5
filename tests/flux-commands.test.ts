import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../src/adapters/clock.ts'
import { installCrds } from '../src/adapters/engine/install-crds.ts'
import { clientFromKubeconfig } from '../src/adapters/kube/client.ts'
import { create } from '../src/app/cli/create.ts'
import { debug } from '../src/app/cli/debug.ts'
import { deleteCommand } from '../src/app/cli/delete.ts'
import { exportCommand } from '../src/app/cli/export.ts'
import { stats } from '../src/app/cli/stats.ts'
import { tree } from '../src/app/cli/tree.ts'
import type { Command } from '../src/app/cli/command.ts'
import { serveKubed } from '../src/embedded/kubed/serve.ts'

test('the commands about objects of Flux, on a cluster', { timeout: 60_000 }, async () => {
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
    const app = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'team', name: 'app' }
    const postBuild = { substitute: { b: 'own' }, substituteFrom: [{ kind: 'ConfigMap', name: 'vars' }] }
    await client.patch(app, 'merge', { spec: { postBuild } }, { fieldManager: 'test' })
    assert.deepEqual(await run(debug, 'kustomization', 'app', '--show-vars'), [0, 'a=1\nb=own'])
    assert.match((await run(debug, 'kustomization', 'app', '--show-status'))[1], /^inventory:\n/)
    assert.match((await run(stats))[1], /Kustomization +2 +0 +0/)
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
