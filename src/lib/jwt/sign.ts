import { createSign } from 'node:crypto'

/**
 * Makes a JSON Web Token, signed with RS256.
 *
 * @returns undefined for a key that is no private RSA key
 */
export function signJwt(privateKeyPem: string, claims: object, header: object = {}): string | undefined {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'RS256', typ: 'JWT', ...header })}.${part(claims)}`
  try {
    return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKeyPem, 'base64url')}`
  } catch {
    return undefined
  }
}
