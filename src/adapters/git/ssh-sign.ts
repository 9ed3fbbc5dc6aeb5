import { spawn } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from '../../lib/error/sluice-error.ts'
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

function run(argv: readonly string[], input: Buffer, env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('ssh-keygen', argv, {
      env: { PATH: process.env['PATH'], LC_ALL: 'C', HOME: '/nonexistent', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 30_000,
    })
    const out: Buffer[] = []
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => void out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(-2000)))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    const fail = (why: string): void =>
      reject(
        new SluiceError('GIT_SIGN', `the commit could not be signed: ${why}`, {
          where: 'spec.git.commit.signingKey',
          retry: 'backoff',
        }),
      )
    child.on('error', (error) => fail(`ssh-keygen: ${error.message}`))
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString('utf8'))
      else
        fail(
          stderr
            .trim()
            .split('\n')
            .at(-1)
            ?.replace(/\/\S*\/identity/, 'the key') ?? 'ssh-keygen failed',
        )
    })
  })
}
