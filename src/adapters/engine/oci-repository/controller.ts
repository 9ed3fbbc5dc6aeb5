import { OCI_WORDS } from '../../../controllers/oci-repository.ts'
import type { SourceChange, SourceSeen, SourceStatus } from '../../../controllers/source.ts'
import type { Controller } from '../../../engine/controller.ts'
import { parseOciRepository, type OciRepository } from '../../../kinds/oci-repository.ts'
import { readText } from '../../../lib/kube/read.ts'
import { parseRepository } from '../../../lib/oci/reference.ts'
import type { EngineContext } from '../context.ts'
import { openRegistries } from '../registries.ts'
import { sourceController } from '../source/controller.ts'
import { lookAtRegistry } from './look.ts'

/** The controller of OCIRepositories. */
export function ociRepositoryController(
  context: EngineContext,
): Controller<SourceSeen<OciRepository>, SourceChange, SourceStatus> {
  const registries = openRegistries(context)
  return sourceController(context, {
    kind: 'OCIRepository',
    parse: parseOciRepository,
    words: OCI_WORDS,
    look: (source) => lookAtRegistry(context, registries, source),
    listen(wakeWhere) {
      context.onImageChanged((pushed) =>
        wakeWhere((object) => isRepository(context, readText(object, 'spec', 'url'), pushed)),
      )
    },
    close: registries.close,
  })
}

/** `pushed` is a repository's name in the embedded registry, or an image with its host; aliases count as their target. */
function isRepository({ registryAliases }: EngineContext, url: string, pushed: string): boolean {
  const parsed = parseRepository(url.replace(/^oci:\/\//, ''))
  if (!parsed) return false
  const { host, repository } = parsed
  return pushed === repository || [host, registryAliases[host]].some((name) => pushed === `${name}/${repository}`)
}
