import { groupOf, type KubeObject } from '../../lib/kube/object.ts'
import { read } from '../../lib/kube/read.ts'

/** What stands for a value of a Secret that did not change, came or went. */
export const HIDDEN = '*****'

const PARTS = ['data', 'stringData']

type Pair = { readonly before: KubeObject; readonly after: KubeObject }

/** What a server takes for the value of any Secret, dockerconfigjson too. */
const SEALED = Buffer.from('{"mask":"**SOPS**"}').toString('base64')

/**
 * Puts a placeholder where a Secret holds SOPS ciphertext, which no server would take: without the key only which values there are can be compared.
 *
 * @param object as it is applied: `stringData` joined with `data`
 */
export function sealSecret(object: KubeObject): KubeObject {
  const data = read(object, 'data')
  if (object.kind !== 'Secret' || typeof data !== 'object' || data === null) return object
  const values = Object.entries(data).map(([key, value]) => [key, isCiphertext(value) ? SEALED : value])
  return { ...object, data: Object.fromEntries(values) }
}

function isCiphertext(value: unknown): boolean {
  if (typeof value !== 'string') return false
  return [value, Buffer.from(value, 'base64').toString('utf8')].some((text) => text.includes('ENC[AES256_GCM,data:'))
}

function isSealed(value: unknown): boolean {
  return value === SEALED
}

/**
 * Hides the values of a Secret in both of its states, so that only which of them changed can be seen; other objects stay as they are.
 *
 * The annotation by which kubectl remembers what it applied is a copy of the values, and hidden with them.
 */
export function maskSecret({ before, after }: Pair): Pair {
  if (before.kind !== 'Secret' || groupOf(before.apiVersion) !== '') return { before, after }
  return {
    before: { ...withoutCopy(before), ...hidden(before, after, '*** (before)') },
    after: { ...withoutCopy(after), ...hidden(after, before, '*** (after)') },
  }
}

const COPY = 'kubectl.kubernetes.io/last-applied-configuration'

function withoutCopy(object: KubeObject): KubeObject {
  const { annotations } = object.metadata
  if (annotations?.[COPY] === undefined) return object
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [COPY]: HIDDEN } } }
}

function hidden(object: KubeObject, other: KubeObject, changed: string): Record<string, unknown> {
  const masked: Record<string, unknown> = {}
  for (const part of PARTS) {
    const values = read(object, part)
    if (typeof values !== 'object' || values === null) continue
    masked[part] = Object.fromEntries(
      Object.entries(values).map(([key, value]) => {
        const there = read(other, part, key)
        const isSame = there === undefined || there === value || isSealed(value) || isSealed(there)
        return [key, isSame ? HIDDEN : changed]
      }),
    )
  }
  return masked
}
