import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../../lib/error/code-of.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { type ProgramEnd, runProgram } from '../../machine/run-program.ts'
import { makeScratch } from '../../machine/scratch.ts'

const TIMEOUT_MS = 30_000

/** What a check of an OpenPGP signature found. */
export type PgpVerdict =
  { readonly kind: 'good'; readonly keyId: string } | { readonly kind: 'no key ring' } | { readonly kind: 'no match' }

/**
 * Checks a detached signature against public key rings with the `gpg` command, in a home of its own that is removed afterwards.
 *
 * Expired and revoked keys do not count.
 * @throws SluiceError GPG_MISSING when there is no gpg
 */
export async function verifyPgp(signature: string, payload: Buffer, keyRings: readonly string[]): Promise<PgpVerdict> {
  return withHome(async (home) => {
    let isReadable = false
    for (const ring of keyRings) isReadable = (await gpg(home, ['--import'], ring)).code === 0 || isReadable
    if (!isReadable) return { kind: 'no key ring' }
    const file = join(home, 'signature.asc')
    await writeFile(file, signature)
    const { stdout } = await gpg(home, ['--status-fd', '1', '--verify', file, '-'], payload)
    const said = stdout.toString('utf8')
    const primary = /^\[GNUPG:\] VALIDSIG .*\b([0-9A-F]{40})$/m.exec(said)?.[1]
    if (!/^\[GNUPG:\] GOODSIG /m.test(said) || primary === undefined) return { kind: 'no match' }
    return { kind: 'good', keyId: primary.slice(-16) }
  })
}

/**
 * Signs with an armoured private key.
 *
 * @returns an armoured detached signature
 * @throws SluiceError GPG_MISSING; GIT_SIGN when the key cannot be read or used
 */
export async function signPgp(payload: Buffer, privateKey: Buffer, passphrase: string | undefined): Promise<string> {
  return withHome(async (home) => {
    const imported = await gpg(home, ['--import'], privateKey)
    if (imported.code !== 0) throw cannotSign(`the key could not be read: ${lastLine(imported.stderr)}`)
    const secret = join(home, 'passphrase')
    await writeFile(secret, passphrase ?? '', { mode: 0o600 })
    const argv = ['--pinentry-mode', 'loopback', '--passphrase-file', secret, '--armor', '--detach-sign']
    const signed = await gpg(home, argv, payload)
    await gpgconfKill(home)
    if (signed.code !== 0) throw cannotSign(lastLine(signed.stderr))
    return signed.stdout.toString('utf8')
  })
}

function cannotSign(why: string): SluiceError {
  return new SluiceError('GIT_SIGN', `the commit could not be signed: ${why}`, {
    where: 'spec.git.commit.signingKey',
  })
}

async function withHome<T>(task: (home: string) => Promise<T>): Promise<T> {
  const home = makeScratch('gpg')
  try {
    return await task(home)
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 3 })
  }
}

function gpg(home: string, argv: readonly string[], input: string | Buffer): Promise<ProgramEnd> {
  return run('gpg', ['--homedir', home, '--batch', '--no-tty', '--quiet', ...argv], input)
}

/** Signing starts an agent that would outlive us. */
async function gpgconfKill(home: string): Promise<void> {
  await run('gpgconf', ['--homedir', home, '--kill', 'all'], '').catch(() => undefined)
}

async function run(command: string, argv: readonly string[], input: string | Buffer): Promise<ProgramEnd> {
  try {
    return await runProgram(command, argv, { input, env: { HOME: '/nonexistent' }, timeoutMs: TIMEOUT_MS })
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
    throw new SluiceError('GPG_MISSING', `there is no ${command} command on this machine`, {
      retry: 'backoff',
      hint: 'install GnuPG, or sign with SSH keys',
    })
  }
}

function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').replace(/^gpg: /, '')
}
