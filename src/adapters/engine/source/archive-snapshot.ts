import { SluiceError } from '../../../lib/error/sluice-error.ts'
import type { EngineContext } from '../context.ts'
import type { SourceFile, SourceSnapshot } from '../source-store.ts'
import { contentDigest } from './content.ts'
import { unpackArchive, type Unpacked } from './unpack.ts'

/** How long bytes stay in memory after they were read; the archive on disk brings them back. */
const KEPT_MS = 10_000

/** What a snapshot is of. */
type Of = Pick<SourceSnapshot, 'key' | 'revision'> & {
  /** The stored artifact. */
  readonly path: string
  readonly originRevision?: string | undefined
}

/**
 * Offers the files of a stored artifact. Only their names and hashes stay in memory; bytes are read from the archive when they are wanted.
 *
 * @throws SluiceError TAR_INVALID when the artifact is no archive
 */
export async function openArchiveSnapshot(
  { artifacts, clock }: EngineContext,
  of: Of,
  known?: Unpacked,
): Promise<SourceSnapshot> {
  const load = async (): Promise<Unpacked> => unpackArchive(await artifacts.read(of.path), of.path)
  let held: Promise<Unpacked> | undefined = known && Promise.resolve(known)
  let forget = (): void => undefined
  const hold = (): Promise<Unpacked> => {
    forget()
    forget = clock.after(KEPT_MS, () => (held = undefined))
    return (held ??= load().catch((error: unknown) => {
      // who asks again, however soon, is not told of a fault that has passed
      held = undefined
      throw error
    }))
  }
  const { files } = await hold()
  return {
    key: of.key,
    revision: of.revision,
    files,
    ...(of.originRevision === undefined ? {} : { originRevision: of.originRevision }),
    digest: contentDigest({ files }),
    read: async (file: SourceFile) => {
      const found = (await hold()).bytes.get(file.hash)
      if (found) return found
      throw new SluiceError('SOURCE_GONE', `${of.key}: ${file.path} of ${of.revision} is not stored any more`, {
        retry: 'backoff',
      })
    },
  }
}
