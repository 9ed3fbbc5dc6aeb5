import type { ImageUpdateAutomation } from '../../../kinds/image.ts'
import type { SignCommit } from '../../git/commit-and-push.ts'
import { signPgp } from '../../git/pgp.ts'
import { signSsh } from '../../git/ssh-sign.ts'
import type { KubeClient } from '../../kube/types.ts'
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
  if (type !== 'ssh' && !key.includes('-----BEGIN PGP'))
    throw unconfigured(
      `could not read signing key from secret '${secretName}': openpgp: invalid argument: no armored data found`,
    )
  if (type === 'ssh') return (payload) => signSsh(payload, key, data['password']?.toString('utf8'))
  return (payload) => signPgp(payload, key, data['passphrase']?.toString('utf8'))
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
