import { bucketController } from './bucket/controller.ts'
import type { EngineContext, EnginePart } from './context.ts'
import { externalArtifactController } from './external-artifact/controller.ts'
import { gitRepositoryController } from './git-repository/controller.ts'
import { ociRepositoryController } from './oci-repository/controller.ts'

const VERSION = 'source.toolkit.fluxcd.io/v1'
const KINDS = ['GitRepository', 'OCIRepository', 'Bucket', 'ExternalArtifact']

/** The kinds of sources that the API server serves: all four where we installed them, fewer on an old Flux. */
export async function servedSourceKinds({ client }: EngineContext): Promise<readonly string[]> {
  const served = await Promise.all(KINDS.map(async (kind) => ((await client.resource(VERSION, kind)) ? [kind] : [])))
  return served.flat()
}

/** Sources: what Kustomizations are built from. */
export const sourcePart: EnginePart = async (context, { start }) => {
  const kinds = await servedSourceKinds(context)
  await start(gitRepositoryController(context))
  if (kinds.includes('OCIRepository')) await start(ociRepositoryController(context))
  if (kinds.includes('Bucket')) await start(bucketController(context))
  if (kinds.includes('ExternalArtifact')) await start(externalArtifactController(context))
}
