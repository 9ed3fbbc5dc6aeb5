import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Command, Io } from './command.ts'
import { COMMANDS } from './commands.ts'

// CVE-2022-36035: flux read manifests that others had put where it looked. We read what an argument names, and nothing else.
const trap = mkdtempSync(join(tmpdir(), 'sluice-trap-'))
after(() => rmSync(trap, { recursive: true, force: true }))
const planted = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: planted}\n'
for (const folder of ['.', 'manifests', 'flux-system', '.sluice', '.kube', 'flux'])
  for (const file of ['kustomization.yaml', 'install.yaml', 'gotk-components.yaml', 'config', 'none.yaml']) {
    mkdirSync(join(trap, folder), { recursive: true })
    writeFileSync(join(trap, folder, file), planted)
  }

const runs: { it: string; argv: string[] }[] = [
  {
    it: 'create',
    argv: ['create', 'source', 'git', 'app', '--url=https://example.com/app', '--interval=1m', '--export'],
  },
  { it: 'get without a cluster', argv: ['get', 'kustomizations', '--kubeconfig', '/nonexistent'] },
  { it: 'build without a folder', argv: ['build'] },
  { it: 'diff without a folder', argv: ['diff', 'kustomization', 'app', '--kubeconfig', '/nonexistent'] },
  { it: 'version', argv: ['version'] },
]
for (const { it, argv } of runs)
  test(`CVE-2022-36035: ${it} takes no manifest that lies about`, async () => {
    const told: string[] = []
    const tell = (text: string): void => void told.push(text)
    const env = { HOME: trap, TMPDIR: trap, XDG_CONFIG_HOME: trap, PATH: process.env['PATH'] }
    const io: Io = { out: tell, err: tell, env, cwd: trap, isTty: false, signal: new AbortController().signal }
    const [name, ...rest] = argv
    const command: Command | undefined = await COMMANDS.find((one) => one.name === name)?.load()
    await command?.run(rest, io).catch((error: unknown) => tell(String(error)))
    assert.ok(told.length > 0)
    assert.doesNotMatch(told.join('\n'), /planted/)
  })
