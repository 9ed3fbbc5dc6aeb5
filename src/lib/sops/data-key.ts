import { SluiceError } from '../error/sluice-error.ts'
import type { MasterKey, SopsMetadata } from './metadata.ts'
import { combineShares } from './shamir.ts'
import { wrapWords } from './wrap-words.ts'

/** Opens the data key with one master key, or throws an error that says in one sentence why not. */
export type OpenMasterKey = (key: MasterKey) => Promise<Uint8Array>

type KeyResult = { readonly key: MasterKey; readonly why: string }
type GroupResult = { readonly part: Uint8Array } | { readonly failures: readonly KeyResult[] }

const DATA_KEY_BYTES = 32
const NARROW = 60
const WIDE = 75

/**
 * Gets the data key of a file: one master key of each group must open its part, and enough groups theirs.
 *
 * @throws SluiceError SOPS_DECRYPT that lists every key that was tried and why it failed, as SOPS does
 */
export async function openDataKey(metadata: SopsMetadata, open: OpenMasterKey): Promise<Uint8Array> {
  const { groups, threshold } = metadata
  const results: GroupResult[] = []
  for (const group of groups) results.push(await openGroup(group, open))
  const parts = results.flatMap((result) => ('part' in result ? [result.part] : []))
  const isEnough = groups.length > 1 ? parts.length >= Math.max(threshold, 2) : parts.length === 1
  if (!isEnough) throw noKey(results, threshold, parts.length)
  const [only] = parts
  const key = groups.length > 1 ? combineShares(parts) : only
  if (key?.length !== DATA_KEY_BYTES)
    throw new SluiceError('SOPS_DECRYPT', `the data key has ${key?.length ?? 0} bytes, want ${DATA_KEY_BYTES}`)
  return key
}

async function openGroup(group: readonly MasterKey[], open: OpenMasterKey): Promise<GroupResult> {
  const failures: KeyResult[] = []
  for (const key of group)
    try {
      return { part: await open(key) }
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      failures.push({ key, why: error.message })
    }
  return { failures }
}

function noKey(results: readonly GroupResult[], threshold: number, partCount: number): SluiceError {
  const groups = results.map((result, at) =>
    'part' in result ? `Group ${at}: SUCCESS` : `Group ${at}: FAILED\n${indent(describe(result.failures), '  ')}`,
  )
  const trailer =
    threshold === 0
      ? 'Recovery failed because no master key was able to decrypt the file. In order for SOPS to recover the file, at least one key has to be successful, but none were.'
      : `Recovery failed because the file was encrypted with a Shamir threshold of ${threshold}, but only ${partCount} part(s) were successfully recovered, one for each successful key group. In order for SOPS to recover the file, at least ${threshold} groups have to be successful. In order for a group to be successful, decryption has to succeed with any of the keys in that key group.`
  const message = `Failed to get the data key required to decrypt the SOPS file.\n\n${groups.join('\n\n')}\n\n${wrapWords(trailer, WIDE)}`
  return new SluiceError('SOPS_DECRYPT', `cannot get sops data key: ${message}`, { retry: 'backoff' })
}

function describe(failures: readonly KeyResult[]): string {
  return failures
    .map(({ key, why }) => {
      const bar = indent(wrapWords(why, NARROW), '  | ')
      return `${key.name}: FAILED\n${indent(`-${bar.slice(1)}`, '  ')}`
    })
    .join('\n\n')
}

function indent(text: string, prefix: string): string {
  return text
    .split('\n')
    .map((line) => `${prefix}${line}`)
    .join('\n')
}
