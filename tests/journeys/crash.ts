import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { procFile, processesIn } from '../support/processes.ts'
import { git, historyOf, isOnPath, kubectl, type Product, statusOf } from './product.ts'
import { until } from '../support/wait.ts'

/** Waits until every service is healthy in every environment; of the example there are six together. */
export async function untilAllHealthy(product: Product, count = 6): Promise<void> {
  await until(
    'everything is healthy',
    async () => {
      const cells = (await statusOf(product)).services.flatMap((service) => service.cells)
      return cells.length === count && cells.every((cell) => cell.state === 'done')
    },
    () => product.output().slice(-6000),
  )
}

/** Waits until the record shows a delivery as done, with exactly these borders passed; a run may end after what it built has arrived. */
export async function untilRecorded(
  product: Product,
  wanted: { readonly commit: string; readonly service: string; readonly environment: string },
  borders: readonly string[],
): Promise<void> {
  let seen = ''
  await until(
    `the record has every border of ${wanted.commit.slice(0, 7)} in ${wanted.environment}`,
    async () => {
      const delivery = (await historyOf(product)).find(
        ({ commit, service, environment }) =>
          commit === wanted.commit && service === wanted.service && environment === wanted.environment,
      )
      seen = JSON.stringify(delivery, undefined, 1)
      const passed = delivery?.borders.filter(({ state }) => state === 'done').map(({ name }) => name)
      return (
        delivery?.state === 'done' && passed?.join() === borders.join() && passed.length === delivery.borders.length
      )
    },
    () => `${seen}\n${product.output().slice(-6000)}`,
  )
}

/** Every tag was written back by one commit of its branch. */
export function assertCommittedOnce(state: string, branches: readonly string[] = ['main', 'develop']): void {
  const repository = join(state, 'git', 'vps.git')
  for (const branch of branches) {
    const patch = git(repository, 'log', '--author=Flux', '--format=', '-p', '-U0', branch)
    const lines = patch.split('\n').filter((line) => /^\+[^+].*\$imagepolicy/.test(line))
    assert.ok(lines.length > 0, patch)
    assert.deepEqual(lines, [...new Set(lines)], `a write-back on ${branch} was made twice`)
  }
}

/** As many containers run as the cluster has pods, and none is left of an earlier start. */
export async function assertPodsOnce(product: Product): Promise<void> {
  if (!isOnPath('kubectl')) return
  let seen = ''
  await until(
    'each pod runs once',
    () => {
      const pods = kubectl(product, 'get', 'pods', '-A', '-o', 'jsonpath={.items[*].metadata.uid}').split(' ')
      const running = containersOf(product.state)
      seen = `pods ${pods.join(' ')}\ncontainers ${running.join(' ')}`
      return pods.length === 9 && pods.sort().join() === running.sort().join()
    },
    () => `${seen}\n${kubectl(product, 'get', 'pods', '-A')}\n${product.output().slice(-3000)}`,
  )
}

/** The addresses that must not change over a restart. */
export function urlsOf({ access }: Product): unknown {
  const services = access.services.map(({ namespace, name, url }) => `${namespace}/${name} ${url}`).sort()
  return {
    git: access.git.url,
    registry: access.registry.url,
    page: access.page.url,
    kube: access.kube.server,
    services,
  }
}

/** The pods whose container has a process that starts its root file system here: the uid, once a process. */
function containersOf(folder: string): string[] {
  return processesIn(folder).flatMap((pid) => {
    const match = /^sh\0.*\/pods\/([^/]+)\/containers\//.exec(procFile(pid, 'cmdline'))
    return match?.[1] === undefined ? [] : [match[1]]
  })
}

/** The git processes below a process: what ends with it where a whole group or container is killed. */
export function gitBelow(pid: number): number[] {
  const parentOf = (of: number): number => Number(/^PPid:\t(\d+)$/m.exec(procFile(of, 'status'))?.[1] ?? 0)
  const isBelow = (of: number): boolean => of > 1 && (parentOf(of) === pid || isBelow(parentOf(of)))
  return readdirSync('/proc')
    .map(Number)
    .filter((of) => of > 1 && procFile(of, 'comm').startsWith('git') && isBelow(of))
}
