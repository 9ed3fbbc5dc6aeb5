import { createHash, randomInt } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { type ProgramEnd, runProgram } from '../../../../machine/run-program.ts'
import { makeScratch } from '../../../../machine/scratch.ts'

const TIMEOUT_MS = 20_000

/**
 * Decrypts an armored PGP message with the gpg command and secret keys that are given, in a keyring of its own that is gone afterwards. Keys with a
 * passphrase cannot be used: nobody is there to ask.
 *
 * @throws SluiceError SOPS_KEY with gpg's own words
 */
export async function decryptByGpg(message: string, secretKeys: readonly Buffer[]): Promise<Uint8Array> {
  // Short: the agent's socket lies in it, and the path of a socket has 107 bytes at most.
  const home = makeScratch('gpg')
  try {
    for (const key of secretKeys) await runGpg(home, ['--import'], key)
    return await runGpg(home, ['--decrypt'], Buffer.from(message))
  } finally {
    await runGnupg('gpgconf', ['--kill', 'gpg-agent'], home, Buffer.alloc(0)).catch(() => undefined)
    await rm(home, { recursive: true, force: true })
  }
}

const LARGEST_MEMORY = 100
const known = new Map<string, string | undefined>()

/**
 * What gpg says against a key that is to be imported, with its exit status; undefined when it takes the key. Each key is tried once.
 */
export async function gpgKeyFault(key: Buffer): Promise<string | undefined> {
  const id = createHash('sha256').update(key).digest('hex')
  if (known.has(id)) return known.get(id)
  const home = join(tmpdir(), `gpg-${randomInt(1e9, 1e10)}`)
  await mkdir(home, { mode: 0o700 })
  try {
    const { code, stderr } = await runGnupg('gpg', ['--batch', '--import'], home, key)
    const fault = code === 0 ? undefined : `(exit status ${code}): ${stderr.trim()}`
    if (known.size >= LARGEST_MEMORY) known.clear()
    known.set(id, fault)
    return fault
  } finally {
    await runGnupg('gpgconf', ['--kill', 'gpg-agent'], home, Buffer.alloc(0)).catch(() => undefined)
    await rm(home, { recursive: true, force: true })
  }
}

async function runGpg(home: string, command: readonly string[], input: Buffer): Promise<Buffer> {
  const { code, stdout, stderr } = await runGnupg('gpg', ['--batch', '--no-tty', '--quiet', ...command], home, input)
  if (code === 0) return stdout
  const words = stderr.trim().split('\n').join('; ').slice(0, 500)
  throw new SluiceError('SOPS_KEY', `failed to decrypt sops data key with pgp: ${words}`, { retry: 'backoff' })
}

async function runGnupg(program: string, argv: readonly string[], home: string, input: Buffer): Promise<ProgramEnd> {
  try {
    return await runProgram(program, argv, { input, env: { GNUPGHOME: home }, timeoutMs: TIMEOUT_MS })
  } catch (cause) {
    throw new SluiceError('SOPS_KEY', `${program} cannot be started; PGP keys need it`, {
      cause,
      hint: 'install GnuPG',
    })
  }
}
