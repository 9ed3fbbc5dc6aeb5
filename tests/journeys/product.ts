import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { CellView, DeliveryView, PageView } from '../../src/app/page-view.ts'
import type { Access } from '../../src/app/state/access.ts'
import { LISTENERS } from '../../src/app/state/ports.ts'
import { ownPorts } from '../support/own-ports.ts'
import { PATIENCE_MS, until } from '../support/wait.ts'

const bundle = resolve('dist/sluice.mjs')

/** A whole Sluice, as a user starts it. */
export type Product = {
  readonly state: string
  readonly access: Access
  readonly pid: number
  readonly output: () => string
  readonly exited: Promise<number | null>
  readonly kill: (signal: NodeJS.Signals) => Promise<void>
  /** Resolves with the first line that matches, from now on; as soon as it is printed. */
  readonly printed: (line: RegExp, timeoutMs?: number) => Promise<string>
}

/** A new folder that `release` removes. */
export function scratch(): { readonly dir: string; readonly release: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-journey-'))
  return { dir, release: () => rmSync(dir, { recursive: true, force: true }) }
}

/**
 * Flags for ports that nobody takes while a product is down between two starts: of those that it chooses by itself, another product may choose
 * one at its first start.
 */
export async function keptPorts(): Promise<readonly string[]> {
  const first = await ownPorts(LISTENERS.length)
  return LISTENERS.flatMap((listener, at) => [`--${listener}-port`, String(first + at)])
}

/** Runs `sluice up` on a repository and answers when its listeners are ready; `ofNode` are flags of Node itself. */
export async function startProduct(
  state: string,
  repository: string,
  flags: readonly string[] = [],
  ofNode: readonly string[] = [],
): Promise<Product> {
  const child = spawn(process.execPath, [...ofNode, bundle, 'up', repository, '--state', state, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const readers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      for (const read of readers) read()
    })
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)))
  const file = join(state, 'access.json')
  await until(
    'the listeners are ready',
    () => / page http:/.test(text) || hasExited(child),
    () => text,
  )
  if (hasExited(child)) throw new Error(`sluice up ended:\n${text}`)
  return {
    state,
    get access(): Access {
      return JSON.parse(readFileSync(file, 'utf8')) as Access
    },
    pid: child.pid ?? 0,
    output: () => text,
    exited,
    async kill(signal) {
      child.kill(signal)
      let isLate = false
      const late = setTimeout(() => (isLate = child.kill('SIGKILL')), PATIENCE_MS)
      await exited
      clearTimeout(late)
      if (isLate) throw new Error(`sluice up did not end by ${signal} within ${PATIENCE_MS / 1000} s:\n${text}`)
    },
    printed: (line, timeoutMs = PATIENCE_MS) =>
      new Promise((found, failed) => {
        const from = text.length
        const read = (): void => {
          const match = line.exec(text.slice(from))
          if (match) end(() => found(match[0]))
        }
        const late = setTimeout(() => end(() => failed(new Error(`not printed: ${line}\n${text}`))), timeoutMs)
        const end = (then: () => void): void => {
          readers.delete(read)
          clearTimeout(late)
          then()
        }
        readers.add(read)
      }),
  }
}

/** The record as the page shows it. */
export const statusOf = async (product: Product): Promise<PageView> =>
  (await jsonOf(new URL('api/v1/status', product.access.page.url))) as PageView

/** A connection of its own for each request: while a test waits for kubectl nobody sees that the server has closed an idle one. */
export async function jsonOf(url: URL): Promise<unknown> {
  return (await fetch(url, { headers: { connection: 'close' } })).json()
}

export async function cellOf(product: Product, service: string, environment: string): Promise<CellView | undefined> {
  const view = await statusOf(product)
  return view.services.find((one) => one.name === service)?.cells.find((cell) => cell.environment === environment)
}

export const historyOf = async (product: Product): Promise<readonly DeliveryView[]> =>
  (await jsonOf(new URL('api/v1/history?limit=200', product.access.page.url))) as readonly DeliveryView[]

/** Waits until a commit of a service runs in an environment. */
export async function untilDelivered(
  product: Product,
  service: string,
  environment: string,
  commit: string,
): Promise<CellView> {
  return until(
    `${service} of ${commit.slice(0, 7)} is healthy in ${environment}`,
    async () => {
      const cell = await cellOf(product, service, environment)
      return cell !== undefined && cell.state === 'done' && commit.startsWith(cell.commit) ? cell : undefined
    },
    () => product.output().slice(-6000),
  )
}

/** A clone that pushes as anyone who has the token. */
export function cloneOf(product: Product, dir: string, branch: string): string {
  const { url, token } = product.access.git
  git(dir, 'clone', '--quiet', '--branch', branch, url.replace('://', `://git:${token}@`), branch)
  const clone = join(dir, branch)
  git(clone, 'config', 'user.name', 'Ada')
  git(clone, 'config', 'user.email', 'ada@example.com')
  return clone
}

export function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

/** Changes one file of a clone, commits and pushes; answers the commit. Takes the write-backs of others along. */
export function change(
  clone: string,
  path: string,
  edit: (text: string) => string,
  message: string,
  push: readonly string[] = ['origin', 'HEAD'],
): string {
  git(clone, 'pull', '--quiet', '--rebase')
  const file = join(clone, path)
  writeFileSync(file, edit(readFileSync(file, 'utf8')))
  git(clone, 'commit', '--quiet', '-am', message)
  git(clone, 'push', '--quiet', ...push)
  return git(clone, 'rev-parse', 'HEAD')
}

/** kubectl against the product's cluster; `undefined` where there is no kubectl. */
export function kubectl(product: Product, ...args: readonly string[]): string {
  return execFileSync('kubectl', ['--kubeconfig', product.access.kube.kubeconfig, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim()
}

/** Whether a command is on the PATH. */
export function isOnPath(command: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, command)))
}

/** The URL of a service, once it is known. */
export async function urlOf(product: Product, name: string, namespace: string): Promise<string> {
  return until(
    `a URL of ${namespace}/${name}`,
    () => product.access.services.find((service) => service.name === name && service.namespace === namespace)?.url,
  )
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
