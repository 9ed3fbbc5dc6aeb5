import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { systemClock } from '../../src/adapters/clock.ts'
import { type Engine, type EngineOptions, startEngine } from '../../src/adapters/engine/start.ts'
import { clientFromKubeconfig } from '../../src/adapters/kube/client.ts'
import type { KubeClient } from '../../src/adapters/kube/types.ts'
import { serveGitd } from '../../src/embedded/gitd/serve.ts'
import { serveKubed } from '../../src/embedded/kubed/serve.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { conditionOf, readText } from '../../src/lib/kube/read.ts'
import { ownPorts } from './own-ports.ts'
import { until as untilSo } from './wait.ts'

/** An engine, a Git server and an API server, and what a journey does with them. */
export type World = {
  readonly client: KubeClient
  readonly kubeconfig: string
  readonly push: (files: Readonly<Record<string, string | null>>, message: string) => Promise<string>
  /** A file as the repository has it now, whoever pushed; the next push goes on top of it. */
  readonly pull: (path: string) => Promise<string>
  /** Rewrites history by git commands in the working copy, and pushes it over what is there; the commit that is left. */
  readonly rewrite: (...commands: readonly (readonly string[])[]) => Promise<string>
  /** Does something while the Git server is away; it comes back at the same address. */
  readonly withoutGit: (run: () => Promise<void>) => Promise<void>
  /** What the engine has asked the API server to patch, in order: `apply ConfigMap/a`, `json Kustomization/app/status`. */
  readonly writes: string[]
  readonly restart: () => Promise<void>
  /** Goes on with an engine that differs in this. */
  readonly goOnWith: (options: Partial<EngineOptions>) => Promise<void>
  /** Goes on with an engine that ends without a word once it has applied an object of that name; `reached` resolves then. */
  readonly crashAfterApplying: (name: string) => Promise<{ readonly reached: Promise<void> }>
  readonly ready: (name: string, commit: string) => Promise<KubeObject>
  readonly url: string
  close(): Promise<void>
}

export const NS = 'apps'
export const KS = 'kustomize.toolkit.fluxcd.io'
export const refTo = (apiVersion: string, kind: string, name: string) => ({ apiVersion, kind, namespace: NS, name })
export const configMap = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {v: "${value}"}\n`
export const kustomization = (name: string, path: string, more: object = {}, version = 'v1'): KubeObject => ({
  apiVersion: `${KS}/${version}`,
  kind: 'Kustomization',
  metadata: { name, namespace: NS },
  spec: {
    interval: '1h',
    prune: true,
    path,
    targetNamespace: NS,
    sourceRef: { kind: 'GitRepository', name: 'app' },
    ...more,
  },
})

/** An API server for one test. */
export type ApiServer = { readonly kubeconfig: string; stop(): Promise<void> }

/** Runs a journey in a world of its own, and takes the world away again. */
export async function inWorld(
  start: () => Promise<ApiServer>,
  traps: 'safe' | 'flux',
  run: (world: World) => Promise<void>,
): Promise<void> {
  const server = await start()
  const world = await makeWorld(server.kubeconfig, traps)
  try {
    await run(world)
  } finally {
    await world.close()
    await server.stop()
  }
}

export async function makeWorld(kubeconfig: string, traps: 'safe' | 'flux' = 'safe'): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-engine-'))
  const client = clientFromKubeconfig(kubeconfig)
  let engine: Engine | undefined
  let crashed: { readonly engine: Engine; readonly bury: () => void } | undefined
  const serveGit = (port: number): ReturnType<typeof serveGitd> =>
    serveGitd({ root: join(dir, 'git'), port, token: 't', onPush: () => engine?.gitChanged(gitd.urlOf('app')) })
  let gitd = await serveGit(await ownPorts())
  const writes: string[] = []
  const start = (more: Partial<EngineOptions> = {}): Promise<Engine> =>
    startEngine({
      client: noting(client, writes),
      clock: systemClock,
      stateDir: join(dir, 'engine'),
      artifactListen: '127.0.0.1:0',
      receiverListen: '',
      traps,
      installCrds: true,
      registryAliases: {},
      ...more,
    })
  engine = await start()
  await apply(client, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS } })
  const work = join(dir, 'work')
  mkdirSync(work)
  const run = promisify(execFile)
  const git = async (...argv: string[]): Promise<string> =>
    (await run('git', ['-C', work, ...argv], { env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' } })).stdout.trim()
  await run('git', ['init', '-q', '--bare', '-b', 'main', join(dir, 'git', 'app.git')])
  await git('init', '-q', '-b', 'main')
  await git('config', 'user.name', 'T')
  await git('config', 'user.email', 't@example.com')
  const url = gitd.urlOf('app')
  const withToken = url.replace('://', '://x:t@')
  return {
    client,
    kubeconfig,
    writes,
    url,
    async push(files, message) {
      for (const [path, content] of Object.entries(files)) {
        const full = join(work, path)
        mkdirSync(dirname(full), { recursive: true })
        if (content === null) rmSync(full)
        else writeFileSync(full, content)
      }
      await git('add', '-A')
      await git('commit', '-q', '--allow-empty', '-m', message)
      await git('push', '-q', withToken, 'HEAD:refs/heads/main')
      return await git('rev-parse', 'HEAD')
    },
    async pull(path) {
      await git('pull', '-q', '--rebase', withToken, 'main')
      return readFileSync(join(work, path), 'utf8')
    },
    async rewrite(...commands) {
      for (const argv of commands) await git(...argv)
      await git('push', '-q', '--force', withToken, 'HEAD:refs/heads/main')
      return await git('rev-parse', 'HEAD')
    },
    async withoutGit(act) {
      await gitd.close()
      try {
        await act()
      } finally {
        gitd = await serveGit(gitd.port)
      }
    },
    async restart() {
      if (engine !== crashed?.engine) await engine?.close()
      engine = await start()
    },
    async goOnWith(options) {
      await engine?.close()
      engine = await start(options)
    },
    async crashAfterApplying(name) {
      await engine?.close()
      let cut: () => void = () => undefined
      const reached = new Promise<void>((resolve) => (cut = resolve))
      const gone = cutAfterApplying(client, name, cut)
      engine = await start({ client: gone.client })
      crashed = { engine, bury: gone.bury }
      return { reached }
    },
    ready: (name, commit) =>
      until(
        client,
        name,
        (object) =>
          conditionOf(object, 'Ready')?.status === 'True' &&
          readText(object, 'status', 'lastAppliedRevision').endsWith(commit),
      ),
    async close() {
      await engine?.close()
      crashed?.bury()
      await crashed?.engine.close()
      await gitd.close()
      client.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function noting(client: KubeClient, writes: string[]): KubeClient {
  return {
    ...client,
    patch(ref, type, body, options) {
      const part = options.subresource === undefined ? '' : `/${options.subresource}`
      writes.push(`${options.dryRun ? 'rehearse' : type} ${ref.kind}/${ref.name}${part}`)
      return client.patch(ref, type, body, options)
    },
  }
}

/** A client whose owner ends without a word: nothing is answered any more once an object of that name was applied. */
function cutAfterApplying(
  client: KubeClient,
  name: string,
  onCut: () => void,
): { readonly client: KubeClient; readonly bury: () => void } {
  let bury: () => void = () => undefined
  const never = new Promise<never>((_, reject) => (bury = () => reject(new Error('the process is gone'))))
  never.catch(() => undefined)
  let isCut = false
  const patch: KubeClient['patch'] = async (ref, type, body, options) => {
    const answer = await (isCut ? never : client.patch(ref, type, body, options))
    if (ref.name !== name || type !== 'apply' || options?.dryRun) return answer
    isCut = true
    onCut()
    return never
  }
  return { client: { ...client, patch }, bury }
}

export async function apply(client: KubeClient, object: KubeObject): Promise<void> {
  const { apiVersion, kind, metadata } = object
  const ref = { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name }
  await client.patch(ref, 'apply', object, { fieldManager: 'test', force: true })
}

export async function ask(client: KubeClient, name: string, token: string): Promise<void> {
  const patch = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': token } } }
  await client.patch(refTo(`${KS}/v1`, 'Kustomization', name), 'merge', patch, { fieldManager: 'test' })
  await until(
    client,
    name,
    (object) =>
      readText(object, 'status', 'lastHandledReconcileAt') === token && conditionOf(object, 'Ready')?.status === 'True',
  )
}

/** Waits for something of a Kustomization. */
export async function until(
  client: KubeClient,
  name: string,
  holds: (object: KubeObject) => boolean,
): Promise<KubeObject> {
  let last: KubeObject | undefined
  await eventually(
    async () => {
      last = await client.get(refTo(`${KS}/v1`, 'Kustomization', name))
      return last !== undefined && holds(last)
    },
    () => JSON.stringify(last?.['status']),
  )
  assert.ok(last)
  return last
}

/** Waits until that holds. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  shown: () => string = () => '',
): Promise<void> {
  await untilSo('what was expected', holds, shown)
}

export async function startKubed(): Promise<ApiServer> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-engine-kubed-'))
  const kubed = await serveKubed({ stateDir: dir, port: 0 })
  return {
    kubeconfig: kubed.kubeconfig,
    async stop() {
      await kubed.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
