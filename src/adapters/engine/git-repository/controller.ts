import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  decideGitRepository,
  type GitRepositoryChange,
  type GitRepositorySeen,
  type GitRepositoryStatus,
  type LookOutcome,
} from '../../../controllers/git-repository.ts'
import type { Controller, Wake } from '../../../engine/controller.ts'
import { FINALIZER } from '../../../kinds/flux-object.ts'
import { parseGitRepository, type GitRepository } from '../../../kinds/git-repository.ts'
import { read, readList, readText } from '../../../lib/kube/read.ts'
import type { WatchCache } from '../../kube/types.ts'
import type { EngineContext } from '../context.ts'
import { aliasGitUrl } from '../../git/alias.ts'
import { mirrorsOf } from '../mirrors.ts'
import { sourceKey } from '../source-store.ts'
import { keyOf, overlayView, writeFinalizers, writeStatus, type ObjectView } from '../status-writer.ts'
import { lookAtRemote, type LookTools } from './look.ts'

const MANAGER = 'source-controller'
const API_VERSION = 'source.toolkit.fluxcd.io/v1'

/** What the engine remembers of a repository between looks; lost at a restart, which looks at once. */
type Memory = {
  nextLookMs: number
  failures: number
  handledGeneration: number
  handledRequest: string
  outcome: LookOutcome | undefined
}

type Tools = LookTools & {
  readonly context: EngineContext
  readonly cache: WatchCache
  readonly view: ObjectView
  readonly memories: Map<string, Memory>
}

/** The controller of GitRepositories: `decide` is pure, this gathers what it sees and does what it says. */
export function gitRepositoryController(
  context: EngineContext,
): Controller<GitRepositorySeen, GitRepositoryChange, GitRepositoryStatus> {
  const cache = context.caches.open({ apiVersion: API_VERSION, kind: 'GitRepository' })
  const loginFolder = join(context.stateDir, 'logins')
  mkdirSync(loginFolder, { recursive: true, mode: 0o700 })
  const mirrors = mirrorsOf(context)
  const tools: Tools = {
    context,
    cache,
    view: overlayView(cache.get),
    memories: new Map(),
    mirrorOf: mirrors.of,
    loginFolder,
  }
  return {
    kind: 'GitRepository',
    concurrency: 20,
    async watch(wake) {
      cache.onChange((object) => wake.now(keyOf(object)))
      context.onGitChanged((url) => wakeSourcesOf(tools, url, wake))
      context.sources.onChange((key) => wakeIncluders(tools, key, wake))
      await cache.ready
      for (const object of cache.list()) wake.now(keyOf(object))
    },
    observe: async (key) => observe(tools, key),
    decide: decideGitRepository,
    async act(changes, seen, key) {
      for (const change of changes) await carryOut(tools, change, seen.repository, key)
    },
    settle: (status, seen, key) => settle(tools, status, seen.repository, key),
    close() {
      cache.close()
      mirrors.close()
    },
  }
}

function memoryOf({ memories }: Tools, key: string): Memory {
  const found = memories.get(key) ?? {
    nextLookMs: 0,
    failures: 0,
    handledGeneration: -1,
    handledRequest: '',
    outcome: undefined,
  }
  memories.set(key, found)
  return found
}

function observe(tools: Tools, key: string): GitRepositorySeen | undefined {
  const { context, view, memories } = tools
  const object = view.get(key)
  if (!object) {
    memories.delete(key)
    view.drop(key)
    context.sources.remove(`GitRepository/${key}`)
    return undefined
  }
  const parsed = parseGitRepository(object)
  const repository = { ...parsed, url: aliasGitUrl(parsed.url, context.registryAliases) }
  const memory = memoryOf(tools, key)
  const { generation, requestedAt } = repository
  const isAsked =
    generation !== memory.handledGeneration || (requestedAt !== '' && requestedAt !== memory.handledRequest)
  const nowMs = context.clock.nowMs()
  return {
    repository,
    nowMs,
    random: context.random(),
    dueInMs: isAsked ? 0 : memory.nextLookMs - nowMs,
    failures: memory.failures,
    ...(memory.outcome ? { outcome: memory.outcome } : {}),
  }
}

async function carryOut(
  tools: Tools,
  change: GitRepositoryChange,
  repository: GitRepository,
  key: string,
): Promise<void> {
  const { context, view } = tools
  const object = view.get(key)
  if (!object) return
  if (change === 'look at the remote') return look(tools, repository, key)
  if (change === 'remove artifacts and finalizer') await removeArtifacts(context, repository)
  const others = repository.finalizers.filter((name) => name !== FINALIZER)
  const finalizers = change === 'add finalizer' ? [...others, FINALIZER] : others
  const written = await writeFinalizers(context.client, object, finalizers, MANAGER)
  if (written) view.put(key, written)
  else view.drop(key)
}

async function look(tools: Tools, repository: GitRepository, key: string): Promise<void> {
  const memory = memoryOf(tools, key)
  const outcome = await lookAtRemote(tools.context, tools, repository)
  memory.outcome = outcome
  memory.handledGeneration = repository.generation
  memory.handledRequest = repository.requestedAt
  memory.failures = outcome.kind === 'failed' ? memory.failures + 1 : 0
}

async function settle(
  tools: Tools,
  { status, event, nextLookInMs }: GitRepositoryStatus,
  repository: GitRepository,
  key: string,
): Promise<void> {
  const { context, view } = tools
  const memory = memoryOf(tools, key)
  const { outcome } = memory
  memory.outcome = undefined
  if (nextLookInMs !== undefined) memory.nextLookMs = context.clock.nowMs() + nextLookInMs
  const object = view.get(key)
  if (!object || status === undefined) return
  const written = await writeStatus(context.client, object, status, MANAGER)
  if (written) view.put(key, written)
  if (!event) return
  const { apiVersion, kind, namespace, name, uid, resourceVersion } = repository
  const ref = { apiVersion, kind, namespace, name, uid, resourceVersion }
  context.tell({ object: ref, ...event, controller: MANAGER, atMs: context.clock.nowMs() })
  if (outcome?.kind === 'stored') reportSource(context, outcome.artifact.revision, `${kind}/${namespace}/${name}`)
}

async function removeArtifacts(context: EngineContext, repository: GitRepository): Promise<void> {
  const { apiVersion, kind, namespace, name, uid, resourceVersion } = repository
  context.sources.remove(sourceKey(kind, namespace, name))
  if (!(await context.artifacts.removeAll(`gitrepository/${namespace}/${name}`))) return
  context.tell({
    object: { apiVersion, kind, namespace, name, uid, resourceVersion },
    severity: 'trace',
    reason: 'GarbageCollectionSucceeded',
    message: 'garbage collected artifacts for deleted resource',
    controller: MANAGER,
    atMs: context.clock.nowMs(),
  })
}

/** A push was seen: every source of that URL looks at once. */
function wakeSourcesOf(tools: Tools, url: string, wake: Wake): void {
  const reached = (address: string): string => aliasGitUrl(address, tools.context.registryAliases)
  for (const object of tools.cache.list())
    if (sameUrl(reached(readText(object, 'spec', 'url')), reached(url))) wakeNow(tools, keyOf(object), wake)
}

/** What a repository includes has changed: it looks again at once (Flux waits for its interval). */
function wakeIncluders(tools: Tools, changed: string, wake: Wake): void {
  if (tools.context.traps === 'flux') return
  for (const object of tools.cache.list()) {
    const namespace = object.metadata.namespace ?? ''
    const names = readList(object, 'spec', 'include').map((entry) => read(entry, 'repository', 'name'))
    if (names.some((name) => sourceKey('GitRepository', namespace, String(name)) === changed))
      wakeNow(tools, keyOf(object), wake)
  }
}

function wakeNow(tools: Tools, key: string, wake: Wake): void {
  memoryOf(tools, key).nextLookMs = 0
  wake.now(key)
}

function sameUrl(a: string, b: string): boolean {
  const plain = (url: string): string => url.replace(/\/+$/, '').replace(/\.git$/, '')
  return plain(a) === plain(b)
}

function reportSource({ report }: EngineContext, revision: string, source: string): void {
  report({ kind: 'source', source, revision, commit: revision.slice(revision.lastIndexOf(':') + 1) })
}
