import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { WORDS } from '../../../controllers/git-repository.ts'
import type { SourceChange, SourceSeen, SourceStatus } from '../../../controllers/source.ts'
import type { Controller } from '../../../engine/controller.ts'
import { parseGitRepository, type GitRepository } from '../../../kinds/git-repository.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { read, readList, readText } from '../../../lib/kube/read.ts'
import { aliasGitUrl } from '../../git/alias.ts'
import type { EngineContext } from '../context.ts'
import { mirrorsOf } from '../mirrors.ts'
import { sourceController } from '../source/controller.ts'
import { sourceKey } from '../source-store.ts'
import { lookAtRemote, type LookTools } from './look.ts'

/** The controller of GitRepositories. */
export function gitRepositoryController(
  context: EngineContext,
): Controller<SourceSeen<GitRepository>, SourceChange, SourceStatus> {
  const loginFolder = join(context.stateDir, 'logins')
  mkdirSync(loginFolder, { recursive: true, mode: 0o700 })
  const mirrors = mirrorsOf(context)
  const tools: LookTools = { mirrorOf: mirrors.of, loginFolder }
  const reached = (url: string): string => aliasGitUrl(url, context.registryAliases)
  return sourceController(context, {
    kind: 'GitRepository',
    parse(object) {
      const parsed = parseGitRepository(object)
      return { ...parsed, url: reached(parsed.url) }
    },
    words: WORDS,
    look: (repository) => lookAtRemote(context, tools, repository),
    listen(wakeWhere) {
      // A push was seen: every source of that URL looks at once.
      context.onGitChanged((url) =>
        wakeWhere((object) => sameUrl(reached(readText(object, 'spec', 'url')), reached(url))),
      )
      // What a repository includes has changed: it looks again at once (Flux waits for its interval).
      if (context.traps === 'safe') context.sources.onChange((key) => wakeWhere((object) => includes(object, key)))
    },
    close: mirrors.close,
  })
}

function includes(object: KubeObject, changed: string): boolean {
  const namespace = object.metadata.namespace ?? ''
  const names = readList(object, 'spec', 'include').map((entry) => read(entry, 'repository', 'name'))
  return names.some((name) => sourceKey('GitRepository', namespace, String(name)) === changed)
}

function sameUrl(a: string, b: string): boolean {
  const plain = (url: string): string => url.replace(/\/+$/, '').replace(/\.git$/, '')
  return plain(a) === plain(b)
}
