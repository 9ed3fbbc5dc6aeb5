import { isIP } from 'node:net'
import type { Json } from '../../../lib/kube/json.ts'
import { stringOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import { invalidValue } from './fault-list.ts'

/** An address must be one; answers whether it is. */
export function checkAddress(address: Json | undefined, path: string, errors: FieldError[]): boolean {
  if (isIP(stringOf(address)) !== 0) return true
  invalidValue(errors, path, stringOf(address), 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')
  return false
}

/** An address of an endpoint must be reachable from other machines. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateEndpointIP */
export function checkEndpointAddress(address: Json | undefined, path: string, errors: FieldError[]): void {
  const text = stringOf(address).toLowerCase()
  const family = isIP(text)
  if (family === 0) return invalidValue(errors, path, stringOf(address), 'must be a valid IP address')
  const matches = (four: RegExp, six: RegExp): boolean => (family === 4 ? four : six).test(text)
  if (matches(/^0\.0\.0\.0$/, /^[0:]+$/)) invalidValue(errors, path, text, `may not be unspecified (${text})`)
  if (matches(/^127\./, /^(0*:)+:?0*1$/))
    invalidValue(errors, path, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')
  if (matches(/^169\.254\./, /^fe[89ab]/))
    invalidValue(errors, path, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')
  if (matches(/^224\.0\.0\./, /^ff[0-9a-f]2/))
    invalidValue(errors, path, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')
}

/** A network must be an address with the length of its prefix. */
export function checkNetworkText(network: Json | undefined, path: string, errors: FieldError[]): void {
  if (!isNetwork(stringOf(network)))
    invalidValue(errors, path, stringOf(network), 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')
}

function isNetwork(text: string): boolean {
  const [address = '', bits = '', ...more] = text.trim().split('/')
  const family = isIP(address)
  return more.length === 0 && family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
}
