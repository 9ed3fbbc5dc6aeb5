import { homedir } from 'node:os'
import { extname } from 'node:path'
import type { Kustomization } from '../../../../kinds/kustomization.ts'
import { textMap } from '../../../../kinds/flux-object.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { openAgeFile, parseAgeIdentities } from '../../../../lib/sops/age-key.ts'
import type { OpenMasterKey } from '../../../../lib/sops/data-key.ts'
import { decryptSops } from '../../../../lib/sops/decrypt.ts'
import type { MasterKeyType } from '../../../../lib/sops/metadata.ts'
import type { Decrypt } from '../../../../pipeline/build/decrypt-objects.ts'
import type { EngineContext } from '../../context.ts'
import { decryptByGpg, gpgKeyFault } from './gpg.ts'
import { hashJson } from '../apply/live-objects.ts'

/** What decrypts for one Kustomization; `keyHash` changes when its keys do. */
export type Decryption = { readonly keyHash: string; readonly decrypt: Decrypt }

type Keys = { readonly identities: readonly string[]; readonly pgpKeys: readonly Buffer[] }

const NOT_SERVED: Partial<Record<MasterKeyType, string>> = {
  kms: 'AWS KMS',
  gcp_kms: 'Google Cloud KMS',
  hckms: 'Huawei Cloud KMS',
  azure_kv: 'Azure Key Vault',
  hc_vault: 'HashiCorp Vault',
}

/**
 * Fetches the keys of `spec.decryption`. `undefined`: there is none to do.
 *
 * @throws SluiceError SECRET_MISSING, SOPS_KEY
 */
export async function fetchDecryption(
  context: EngineContext,
  kustomization: Kustomization,
): Promise<Decryption | undefined> {
  if (!kustomization.decryption) return undefined
  const { traps } = context
  const { data, id } = await fetchKeys(context, kustomization)
  const keys = await readKeys(data, id)
  const noKey = traps === 'flux' ? sopsWords() : `the Secret ${id} has no entry *.agekey`
  const open = rememberOpened(keyOpener(keys, noKey))
  return {
    keyHash: hashJson(data),
    decrypt: (bytes, input, output, isWhole) =>
      decryptSops({
        bytes,
        input,
        output,
        open,
        checkMac: traps === 'flux' ? 'never' : isWhole ? 'always' : 'encrypted only',
      }),
  }
}

type KeySecret = { readonly id: string; readonly data: Readonly<Record<string, string>> }

/** The Secret of the Kustomization; where it names none, the age keys of the one that all share (`--sops-age-secret`). */
async function fetchKeys(context: EngineContext, { decryption, namespace: own }: Kustomization): Promise<KeySecret> {
  const { client, flags } = context
  const isShared = decryption?.secretName === undefined
  const name = decryption?.secretName ?? flags.sopsAgeSecret
  const namespace = isShared ? context.namespace : own
  const id = `${namespace}/${name}`
  if (name === '') return { id, data: {} }
  const secret = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name })
  if (!secret)
    throw new SluiceError('SECRET_MISSING', `secrets "${name}" not found`, {
      retry: 'backoff',
      where: isShared ? '--sops-age-secret' : 'spec.decryption.secretRef',
      hint: `keys are not in Git; put them into the cluster: kubectl -n ${namespace} create secret generic ${name} --from-file=age.agekey`,
    })
  const entries = Object.entries(textMap(secret, 'data'))
  return { id, data: Object.fromEntries(isShared ? entries.filter(([key]) => extname(key) === '.agekey') : entries) }
}

/** Every key is tried before anything is built, in the order of their names: the first bad one is told. */
async function readKeys(data: Readonly<Record<string, string>>, secret: string): Promise<Keys> {
  const identities: string[] = []
  const pgpKeys: Buffer[] = []
  for (const [name, value] of Object.entries(data)) {
    const bytes = Buffer.from(value, 'base64')
    if (extname(name) === '.agekey') identities.push(...readIdentities(bytes.toString('utf8'), name, secret))
    if (extname(name) !== '.asc') continue
    const fault = await gpgKeyFault(bytes)
    if (fault !== undefined)
      throw importFault(name, secret, `failed to import armored key data into GnuPG keyring ${fault}`)
    pgpKeys.push(bytes)
  }
  return { identities, pgpKeys }
}

function readIdentities(text: string, name: string, secret: string): readonly string[] {
  try {
    return parseAgeIdentities(text)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw importFault(name, secret, error.message)
  }
}

function importFault(name: string, secret: string, why: string): SluiceError {
  return new SluiceError(
    'SOPS_KEY',
    `failed to import '${name}' data from sops decryption Secret '${secret}': ${why}`,
    { where: 'spec.decryption.secretRef' },
  )
}

function keyOpener({ identities, pgpKeys }: Keys, noKey: string): OpenMasterKey {
  return async ({ type, enc }) => {
    if (type === 'age') {
      if (identities.length === 0) throw new SluiceError('SOPS_KEY', noKey, { retry: 'backoff' })
      return openAgeFile(enc, identities)
    }
    const service = NOT_SERVED[type]
    if (service !== undefined)
      throw new SluiceError(
        'SOPS_KEY',
        `${service} is not supported by sluice; add an age or PGP key with "sops updatekeys"`,
      )
    try {
      if (pgpKeys.length === 0) throw new SluiceError('SOPS_KEY', 'the Secret has no entry *.asc')
      return await decryptByGpg(enc, pgpKeys)
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      throw new SluiceError('SOPS_KEY', `could not decrypt data key with PGP key: GnuPG binary error: ${error.message}`)
    }
  }
}

/** In SOPS' words, which name the places where a person would have keys; Flux shows them as they are. */
function sopsWords(): string {
  const home = homedir()
  const places = [
    ...['SOPS_AGE_SSH_PRIVATE_KEY_FILE', 'SOPS_AGE_SSH_PRIVATE_KEY_CMD', `${home}/.ssh/id_ed25519`],
    ...[`${home}/.ssh/id_rsa`, 'SOPS_AGE_KEY', 'SOPS_AGE_KEY_FILE', 'SOPS_AGE_KEY_CMD'],
  ]
  const listed = places.map((place) => `'${place}'`).join(', ')
  return `failed to load age identities. Did not find keys in locations ${listed}, and '${home}/.config/sops/age/keys.txt'.`
}

/** Many files have the same master key entry (copied generators, several values of a Secret): each is opened once. */
function rememberOpened(open: OpenMasterKey): OpenMasterKey {
  const opened = new Map<string, Promise<Uint8Array>>()
  return (key) => {
    const found = opened.get(key.enc) ?? open(key)
    opened.set(key.enc, found)
    return found
  }
}
