import type { KubeObject } from '../../lib/kube/object.ts'
import { read, readText } from '../../lib/kube/read.ts'
import { textMap } from '../../kinds/flux-object.ts'

const MASK = '**SOPS**'
const JSON_MASK = JSON.stringify({ mask: MASK })
const PARTS = ['data', 'stringData'] as const

/**
 * Puts a placeholder where a built Secret holds SOPS ciphertext, as `flux build` does: who reads the output sees that a value is encrypted, and
 * nothing of it.
 */
export function maskSops(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret') return object
  const isWhole = readText(object, 'sops', 'mac').startsWith('ENC[')
  const isDockerConfig = readText(object, 'type') === 'kubernetes.io/dockerconfigjson'
  const whole = isDockerConfig ? JSON_MASK : MASK
  const { sops, ...rest } = object as KubeObject & { readonly sops?: unknown }
  const masked: Record<string, unknown> = { ...(isWhole ? rest : { ...rest, ...(sops === undefined ? {} : { sops }) }) }
  for (const part of PARTS) {
    if (read(object, part) === undefined) continue
    const encode = part === 'data'
    masked[part] = mapValues(textMap(object, part), (value) => {
      if (isWhole) return encode ? base64(whole) : whole
      return isEncrypted(encode ? Buffer.from(value, 'base64').toString('utf8') : value) ? base64(MASK) : value
    })
  }
  return masked as KubeObject
}

function isEncrypted(text: string): boolean {
  return text.includes('sops') && text.includes('ENC[')
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function mapValues(map: Readonly<Record<string, string>>, change: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]))
}
