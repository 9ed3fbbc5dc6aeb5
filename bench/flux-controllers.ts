import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientFromKubeconfig } from '../src/adapters/kube/client.ts'
import type { KubeObject } from '../src/lib/kube/object.ts'
import { loadAll } from '../src/lib/yaml/load.ts'
import { ended, type Processes } from './processes.ts'

const home = join(process.env['SLUICE_PEERS'] ?? join(homedir(), '.cache/sluice/peers'), 'flux-controllers')

/** The flags of Flux's published benchmark; nobody listens to Events, and one instance needs no lease. */
const FLAGS = [
  '--enable-leader-election=false',
  '--metrics-addr=127.0.0.1:0',
  '--health-addr=127.0.0.1:0',
  '--events-addr=',
  '--concurrent=20',
  '--kube-api-qps=500',
  '--kube-api-burst=1000',
]
const START_MS = 8_000

export function fluxIsBuilt(): boolean {
  return existsSync(join(home, 'kustomize-controller'))
}

/** Starts Flux's source- and kustomize-controller with their kinds on an API server; answers their processes. They keep all files below `dir`. */
export async function startFlux(processes: Processes, dir: string, kubeconfig: string, artifacts: string) {
  await applyKinds(kubeconfig)
  const work = (name: string): string => {
    mkdirSync(join(dir, name, 'tmp'), { recursive: true })
    return join(dir, name)
  }
  const env = (name: string) => ({
    KUBECONFIG: kubeconfig,
    RUNTIME_NAMESPACE: 'default',
    TMPDIR: join(work(name), 'tmp'),
  })
  const storage = [`--storage-addr=${artifacts}`, `--storage-adv-addr=${artifacts}`, `--storage-path=${work('source')}`]
  const source = processes.start(join(home, 'source-controller'), [...FLAGS, ...storage], env('source'))
  const kustomize = processes.start(join(home, 'kustomize-controller'), FLAGS, env('kustomize'))
  const ends = Promise.all([source, kustomize].map(ended))
  ends.catch(() => undefined)
  // They say that they are ready before they watch; one that cannot even start would be waited for to the end.
  await Promise.race([sleep(START_MS), ends])
  return { engine: kustomize.pid, source: source.pid }
}

async function applyKinds(kubeconfig: string): Promise<void> {
  const client = clientFromKubeconfig(kubeconfig)
  const folder = join(home, 'crds')
  for (const file of readdirSync(folder))
    for (const definition of loadAll(readFileSync(join(folder, file), 'utf8'), file))
      if (definition !== null) await client.create(definition as KubeObject, { fieldManager: 'bench' })
  client.close()
}
