import { SluiceError } from '../error/sluice-error.ts'
import { bech32Fault } from './bech32.ts'

const IDENTITY = /^AGE-SECRET-KEY-(PQ-)?1/
const MOST_BYTES = 64 * 1024

/**
 * Reads the identities of an age key file; comments and empty lines are left out.
 *
 * @throws SluiceError SOPS_KEY, naming the line, never its text
 */
export function parseAgeIdentities(text: string): readonly string[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    const fault = identityFault(trimmed)
    if (fault === undefined) return [trimmed]
    throw new SluiceError('SOPS_KEY', `failed to parse and add to age identities: ${fault}`, {
      where: `line ${index + 1}`,
      hint: 'an entry *.agekey holds lines such as AGE-SECRET-KEY-1… or AGE-SECRET-KEY-PQ-1…',
    })
  })
}

function identityFault(line: string): string | undefined {
  if (!IDENTITY.test(line.toUpperCase())) return 'unknown identity type'
  const fault = bech32Fault(line)
  return fault && `malformed secret key: ${fault}`
}

/** What is no armor at its first line, in the words of Go's library. */
function armorFault(armored: string): string | undefined {
  const first = armored.split(/\r?\n/).find((line) => line.trim() !== '')
  if (first === undefined) return 'unexpected EOF'
  return first === '-----BEGIN AGE ENCRYPTED FILE-----' ? undefined : `invalid first line: ${JSON.stringify(first)}`
}

/**
 * Opens an armored age file with any of the identities: X25519 and post-quantum hybrid recipients.
 *
 * @throws SluiceError SOPS_KEY when none of them fits
 */
export async function openAgeFile(armored: string, identities: readonly string[]): Promise<Uint8Array> {
  const what = 'failed to create reader for decrypting sops data key with age'
  if (armored.length > MOST_BYTES) throw new SluiceError('SOPS_KEY', `${what}: the file is larger than a data key`)
  // Loaded when the first file needs it: it costs 60 ms and most engines never do.
  const { armor, Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  const fault = armorFault(armored)
  if (fault !== undefined)
    throw new SluiceError(
      'SOPS_KEY',
      `${what}: failed to read header: parsing age header: failed to read intro: invalid armor: ${fault}`,
      {
        retry: 'backoff',
      },
    )
  try {
    for (const identity of identities) decrypter.addIdentity(identity)
    return await decrypter.decrypt(armor.decode(armored.trim()))
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    const isOther = text.startsWith('no identity matched')
    const why = !isOther
      ? text
      : identities.length === 1
        ? 'identity did not match any of the recipients: incorrect identity for recipient block'
        : 'no identity matched any of the recipients'
    throw new SluiceError('SOPS_KEY', `${what}: ${why}`, { retry: 'backoff', cause })
  }
}
