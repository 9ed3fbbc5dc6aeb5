import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { runProgram } from '../../machine/run-program.ts'
import { makeScratch } from '../../machine/scratch.ts'

/** Prints the passphrase from its environment: text of ours, no input in it. */
const ASKPASS = '#!/bin/sh\nprintf \'%s\\n\' "$SLUICE_SSH_PASSPHRASE"\n'

/**
 * Signs for Git with an SSH private key, by `ssh-keygen`; the key lies in a folder of its own for as long as that takes.
 *
 * @returns an armoured signature of the namespace `git`
 * @throws SluiceError GIT_SIGN when the key cannot be read or used
 */
export async function signSsh(payload: Buffer, privateKey: Buffer, passphrase: string | undefined): Promise<string> {
  const folder = makeScratch('sign')
  try {
    const [key, askpass] = [join(folder, 'identity'), join(folder, 'askpass')]
    const text = privateKey.toString('utf8')
    await writeFile(key, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o600 })
    await writeFile(askpass, ASKPASS, { mode: 0o700 })
    return await run(['-Y', 'sign', '-q', '-n', 'git', '-f', key], payload, {
      SSH_ASKPASS: askpass,
      SSH_ASKPASS_REQUIRE: 'force',
      SLUICE_SSH_PASSPHRASE: (passphrase ?? '').replace(/\0/g, ''),
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function run(argv: readonly string[], input: Buffer, env: Readonly<Record<string, string>>): Promise<string> {
  const timeoutMs = 30_000
  const end = await runProgram('ssh-keygen', argv, { input, env: { HOME: '/nonexistent', ...env }, timeoutMs }).catch(
    (error: unknown) => {
      throw cannotSign(`ssh-keygen: ${error instanceof Error ? error.message : String(error)}`)
    },
  )
  if (end.code === 0) return end.stdout.toString('utf8')
  const last = end.stderr.trim().split('\n').at(-1) ?? ''
  throw cannotSign(last.replace(/\/\S*\/identity/, 'the key'))
}

function cannotSign(why: string): SluiceError {
  return new SluiceError('GIT_SIGN', `the commit could not be signed: ${why}`, {
    where: 'spec.git.commit.signingKey',
    retry: 'backoff',
  })
}
