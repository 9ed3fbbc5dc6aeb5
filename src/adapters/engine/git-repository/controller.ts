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
import { read } from '../../../lib/kube/read.ts'
import type { EngineContext } from '../context.ts'
import { mirrorsOf } from '../mirrors.ts'
import { sourceKey } from '../source-store.ts'
import { keyOf, overlayView, writeFinalizers, writeStatus } from '../status-writer.ts'
import { lookAtRemote } from './look.ts'

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

/** The controller of GitRepositories: `decide` is pure, this gathers what it sees and does what it says. */
export function gitRepositoryController(
  context: EngineContext,
): Controller<GitRepositorySeen, GitRepositoryChange, GitRepositoryStatus> {
  const { caches, clock, client, stateDir } = context
  const cache = caches.open({ apiVersion: API_VERSION, kind: 'GitRepository' })
  const view = overlayView(cache.get)
  const memories = new Map<string, Memory>()
  const mirrors = mirrorsOf(context)
  const loginFolder = join(stateDir, 'logins')
  mkdirSync(loginFolder, { recursive: true, mode: 0o700 })
  const memoryOf = (key: string): Memory => {
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
  return {
    kind: 'GitRepository',
    concurrency: 20,
    async watch(wake) {
      cache.onChange((object) => wake.now(keyOf(object)))
      context.onGitChanged((url) => wakeSourcesOf(url, wake))
      context.sources.onChange((key) => wakeIncluders(key, wake))
      await cache.ready
      for (const object of cache.list()) wake.now(keyOf(object))
    },
    async observe(key) {
      const object = view.get(key)
      if (!object) return forget(key)
      const repository = parseGitRepository(object)
      const memory = memoryOf(key)
      const isAsked =
        repository.generation !== memory.handledGeneration ||
        (repository.requestedAt !== '' && repository.requestedAt !== memory.handledRequest)
      return {
        repository,
        nowMs: clock.nowMs(),
        random: context.random(),
        dueInMs: isAsked ? 0 : memory.nextLookMs - clock.nowMs(),
        failures: memory.failures,
        ...(memory.outcome ? { outcome: memory.outcome } : {}),
      }
    },
    decide: decideGitRepository,
    async act(changes, seen, key) {
      for (const change of changes) await carryOut(change, seen.repository, key)
    },
    async settle({ status, event }, seen, key) {
      const memory = memoryOf(key)
      const { outcome } = memory
      memory.outcome = undefined
      const object = view.get(key)
      if (!object || status === undefined) return
      const written = await writeStatus(client, object, status, MANAGER)
      if (written) view.put(key, written)
      if (!event) return
      const { apiVersion, kind, namespace, name, uid, resourceVersion } = seen.repository
      const ref = { apiVersion, kind, namespace, name, uid, resourceVersion }
      context.tell({ object: ref, ...event, controller: MANAGER, atMs: clock.nowMs() })
      if (outcome?.kind === 'stored') reportSource(context, outcome.artifact.revision, namespace, name)
    },
    close() {
      cache.close()
      mirrors.close()
    },
  }

  async function carryOut(change: GitRepositoryChange, repository: GitRepository, key: string): Promise<void> {
    const object = view.get(key)
    if (!object) return
    if (change === 'look at the remote') return look(repository, key)
    if (change === 'add finalizer') {
      const written = await writeFinalizers(client, object, [...repository.finalizers, FINALIZER], MANAGER)
      return written ? view.put(key, written) : view.drop(key)
    }
    await removeArtifacts(repository)
    const rest = repository.finalizers.filter((name) => name !== FINALIZER)
    const written = await writeFinalizers(client, object, rest, MANAGER)
    if (written) view.put(key, written)
  }

  async function look(repository: GitRepository, key: string): Promise<void> {
    const memory = memoryOf(key)
    const outcome = await lookAtRemote(context, { mirrorOf: mirrors.of, loginFolder }, repository)
    memory.outcome = outcome
    memory.handledGeneration = repository.generation
    memory.handledRequest = repository.requestedAt
    memory.failures = outcome.kind === 'failed' ? memory.failures + 1 : 0
    const decision = decideGitRepository({
      repository,
      outcome,
      nowMs: clock.nowMs(),
      random: context.random(),
      dueInMs: 0,
      failures: memory.failures,
    })
    const waitMs = decision.kind === 'wait' ? decision.afterMs : decision.kind === 'done' ? decision.againAfterMs : 0
    memory.nextLookMs = clock.nowMs() + (waitMs ?? Number.MAX_SAFE_INTEGER / 4) - 1
  }

  async function removeArtifacts({ namespace, name, ...repository }: GitRepository): Promise<void> {
    context.sources.remove(sourceKey('GitRepository', namespace, name))
    if (!(await context.artifacts.removeAll(`gitrepository/${namespace}/${name}`))) return
    context.tell({
      object: { ...repository, kind: 'GitRepository', namespace, name },
      severity: 'trace',
      reason: 'GarbageCollectionSucceeded',
      message: 'garbage collected artifacts for deleted resource',
      controller: MANAGER,
      atMs: clock.nowMs(),
    })
  }

  function forget(key: string): undefined {
    memories.delete(key)
    view.drop(key)
    const [namespace = '', name = ''] = key.split('/')
    context.sources.remove(sourceKey('GitRepository', namespace, name))
    return undefined
  }

  /** A push was seen: every source of that URL looks at once. */
  function wakeSourcesOf(url: string, wake: Wake): void {
    for (const object of cache.list()) {
      if (sameUrl(String(read(object, 'spec', 'url')), url)) wakeNow(keyOf(object), wake)
    }
  }

  /** What a repository includes has changed: it looks again at once (Flux waits for its interval). */
  function wakeIncluders(changed: string, wake: Wake): void {
    if (context.traps === 'flux') return
    for (const object of cache.list()) {
      const { include, namespace } = parseIncludes(object)
      if (include.some((name) => sourceKey('GitRepository', namespace, name) === changed)) wakeNow(keyOf(object), wake)
    }
  }

  function wakeNow(key: string, wake: Wake): void {
    memoryOf(key).nextLookMs = 0
    wake.now(key)
  }
}

function parseIncludes(object: unknown): { readonly include: readonly string[]; readonly namespace: string } {
  const list = read(object, 'spec', 'include')
  const include = Array.isArray(list) ? list.map((entry) => String(read(entry, 'repository', 'name'))) : []
  return { include, namespace: String(read(object, 'metadata', 'namespace')) }
}

function sameUrl(a: string, b: string): boolean {
  const plain = (url: string): string => url.replace(/\/+$/, '').replace(/\.git$/, '')
  return plain(a) === plain(b)
}

function reportSource({ report }: EngineContext, revision: string, namespace: string, name: string): void {
  const commit = revision.slice(revision.lastIndexOf(':') + 1)
  report({ kind: 'source', source: `GitRepository/${namespace}/${name}`, revision, commit })
}
