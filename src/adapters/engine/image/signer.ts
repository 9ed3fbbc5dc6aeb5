import type { ImageUpdateAutomation } from '../../../kinds/image.ts'
import type { SignCommit } from '../../git/commit-and-push.ts'
import { readKeyRing } from '../../../lib/openpgp/key-ring.ts'
import { signPgp } from '../../git/pgp.ts'
import { signSsh } from '../../git/ssh-sign.ts'
import type { KubeClient } from '../../kube/types.ts'
import { identityFault, isLocked } from '../../../lib/ssh/files.ts'
import { readSecret, type SecretData } from '../secrets.ts'
import { RunFailure } from './run-failure.ts'

/**
 * The way to sign that `spec.git.commit.signingKey` asks for; undefined when it asks for none.
 *
 * @throws RunFailure with Flux's words when the Secret is not there or does not hold the key
 */
export async function signerOf(
  client: KubeClient,
  { namespace, signingKey }: ImageUpdateAutomation,
): Promise<SignCommit | undefined> {
  if (!signingKey) return undefined
  const { secretName, type } = signingKey
  const data = await readKey(client, namespace, secretName)
  const key = data[type === 'ssh' ? 'identity' : 'git.asc']
  if (!key)
    throw unconfigured(
      type === 'ssh'
        ? `signing key secret '${secretName}' does not contain an 'identity' key`
        : `signing key secret '${secretName}' does not contain a 'git.asc' key`,
    )
  const passphrase = data[type === 'ssh' ? 'password' : 'passphrase']?.toString('utf8')
  const fault = type === 'ssh' ? sshFault(secretName, key, passphrase) : pgpFault(secretName, key, passphrase)
  if (fault !== undefined) throw unconfigured(fault)
  return type === 'ssh'
    ? (payload) => signSsh(payload, key, passphrase)
    : (payload) => signPgp(payload, key, passphrase)
}

function sshFault(secretName: string, key: Buffer, passphrase: string | undefined): string | undefined {
  const text = key.toString('utf8')
  const fault = identityFault(text)
  if (fault !== undefined)
    return `could not parse SSH signing key from secret '${secretName}': could not parse SSH signing key: ${fault}`
  return isLocked(text) && !passphrase ? wantsPassphrase('password', secretName) : undefined
}

function pgpFault(secretName: string, key: Buffer, passphrase: string | undefined): string | undefined {
  const ring = readKeyRing(key.toString('utf8'))
  if (ring === undefined)
    return `could not read signing key from secret '${secretName}': openpgp: invalid argument: no armored data found`
  if (ring.keys > 1)
    return `multiple entities read from secret '${secretName}', could not determine which signing key to use`
  return ring.isLocked && passphrase === undefined ? wantsPassphrase('passphrase', secretName) : undefined
}

function wantsPassphrase(field: string, secretName: string): string {
  return `can not use passphrase protected signing key without '${field}' field present in secret ${secretName}`
}

async function readKey(client: KubeClient, namespace: string, name: string): Promise<SecretData> {
  try {
    return await readSecret(client, namespace, name)
  } catch (error) {
    throw unconfigured(
      `could not find signing key secret '${name}': ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

function unconfigured(why: string): RunFailure {
  return new RunFailure('SourceManagerFailed', `failed configuring source manager: ${why}`)
}
