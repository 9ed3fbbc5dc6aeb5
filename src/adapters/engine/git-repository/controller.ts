import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { WORDS } from '../../../controllers/git-repository.ts'
import type { SourceChange, SourceSeen, SourceStatus } from '../../../controllers/source.ts'
import type { Controller } from '../../../engine/controller.ts'
import { parseGitRepository, type GitRepository } from '../../../kinds/git-repository.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { read, readList, readText } from '../../../lib/kube/read.ts'
import { trimEndOf } from '../../../lib/value/trim-end.ts'
import { aliasGitUrl } from '../../git/alias.ts'
import type { EngineContext } from '../context.ts'
import { mirrorsOf } from '../mirrors.ts'
import { sourceController } from '../source/controller.ts'
import { lookAtRemote, type LookTools } from './look.ts'

/** The controller of GitRepositories. */
export function gitRepositoryController(
  context: EngineContext,
): Controller<SourceSeen<GitRepository>, SourceChange, SourceStatus> {
  const loginFolder = join(context.stateDir, 'logins')
  mkdirSync(loginFolder, { recursive: true, mode: 0o700 })
  const cache = context.caches.open({ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' })
  const tools: LookTools = { mirrorOf: mirrorsOf(context).of, loginFolder }
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
      // What a repository includes has changed, and says so: it looks again at once (Flux waits for its interval).
      if (context.traps === 'safe') cache.onChange((changed) => wakeWhere((object) => lacks(object, changed)))
    },
    close: cache.close,
  })
}

/** Whether a repository includes another one, and was made without what that one offers now. */
function lacks(object: KubeObject, { metadata, status }: KubeObject): boolean {
  if (object.metadata.namespace !== metadata.namespace) return false
  const names = readList(object, 'spec', 'include').map((entry) => read(entry, 'repository', 'name'))
  if (!names.includes(metadata.name)) return false
  const digest = read(status, 'artifact', 'digest')
  return !readList(object, 'status', 'includedArtifacts').some((artifact) => read(artifact, 'digest') === digest)
}

function sameUrl(a: string, b: string): boolean {
  const plain = (url: string): string => trimEndOf(url, '/').replace(/\.git$/, '')
  return plain(a) === plain(b)
}
