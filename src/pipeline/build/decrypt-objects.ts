import { SluiceError } from '../../lib/error/sluice-error.ts'
import { groupOf, versionOf, type KubeObject } from '../../lib/kube/object.ts'
import { read, readText } from '../../lib/kube/read.ts'
import { encryptedFormatOf, formatOfPath, type SopsFormat } from '../../lib/sops/format.ts'
import { isRecord } from '../../lib/value/is-record.ts'

/** Decrypts bytes of one format into another; `isWhole`: nothing has changed them since SOPS wrote them, so that the MAC counts. */
export type Decrypt = (
  bytes: Uint8Array,
  input: SopsFormat,
  output: SopsFormat,
  isWhole: boolean,
) => Promise<Uint8Array>

const DISABLED = 'kustomize.toolkit.fluxcd.io/decrypt'

/**
 * Decrypts built objects: those that SOPS encrypted as a whole, and Secrets with a value that is an encrypted file. An object annotated
 * `decrypt: disabled` is left as it is.
 *
 * @throws SluiceError SOPS_DECRYPT in Flux's words, naming the object
 */
export async function decryptObjects(objects: readonly KubeObject[], decrypt: Decrypt): Promise<readonly KubeObject[]> {
  return Promise.all(objects.map((object) => decryptOne(object, decrypt)))
}

/** Whether an object says that it is not to be decrypted; its ciphertext may be applied then. */
export function isDecryptionDisabled({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[DISABLED]?.toLowerCase() === 'disabled'
}

/** How kustomize names an object: `ConfigMap.v1.[noGrp]/a`. */
export function shortId({ apiVersion, kind, metadata }: KubeObject): string {
  return `${kind}.${versionOf(apiVersion)}.${groupOf(apiVersion) || '[noGrp]'}/${metadata.name}`
}

async function decryptOne(object: KubeObject, decrypt: Decrypt): Promise<KubeObject> {
  if (isDecryptionDisabled(object)) return object
  if (readText(object, 'sops', 'mac') !== '') return decryptWhole(object, decrypt)
  return object.kind === 'Secret' ? decryptValues(object, decrypt) : object
}

async function decryptWhole(object: KubeObject, decrypt: Decrypt): Promise<KubeObject> {
  const { namespace = '', name } = object.metadata
  const bytes = Buffer.from(JSON.stringify(object))
  const plain = await named(object, `failed to decrypt and format '${namespace}/${name}' ${object.kind} data`, () =>
    decrypt(bytes, 'json', 'json', false),
  )
  return JSON.parse(Buffer.from(plain).toString('utf8')) as KubeObject
}

async function decryptValues(object: KubeObject, decrypt: Decrypt): Promise<KubeObject> {
  const data = read(object, 'data')
  if (!isRecord(data)) return object
  const { namespace = '', name } = object.metadata
  const opened: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(data)) {
    const bytes = Buffer.from(typeof value === 'string' ? value : '', 'base64')
    const format = encryptedFormatOf(bytes)
    opened[key] =
      format === undefined
        ? value
        : Buffer.from(
            await named(object, `failed to decrypt and format '${namespace}/${name}' Secret field '${key}'`, () =>
              decrypt(bytes, format, formatOfPath(key), true),
            ),
          ).toString('base64')
  }
  return { ...object, data: opened }
}

async function named(object: KubeObject, what: string, run: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const { message, hint, retry } = error
    throw new SluiceError('SOPS_DECRYPT', `decryption failed for '${shortId(object)}': ${what}: ${message}`, {
      retry,
      where: 'spec.decryption',
      ...(hint === undefined ? {} : { hint }),
    })
  }
}
