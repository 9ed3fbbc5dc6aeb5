import { addressFault, addressText, networkFault, parseAddress } from '../../../lib/kube/addresses.ts'
import type { Json } from '../../../lib/kube/json.ts'
import { stringOf } from '../../../lib/kube/json.ts'
import type { FieldError } from '../fault.ts'
import { invalidValue } from './fault-list.ts'

/** An address must be one; answers whether it is. Newer fields want it in its canonical form. */
export function checkAddress(
  address: Json | undefined,
  path: string,
  errors: FieldError[],
  isCanonical = false,
): boolean {
  const text = stringOf(address)
  const why = addressFault(text, isCanonical)
  if (why !== undefined) invalidValue(errors, path, text, why)
  return why === undefined
}

/** An address of an endpoint must be reachable from other machines. @see k8s.io/kubernetes/pkg/apis/core/validation ValidateEndpointIP */
export function checkEndpointAddress(address: Json | undefined, path: string, errors: FieldError[]): void {
  const found = parseAddress(stringOf(address))
  if (found === undefined) return invalidValue(errors, path, stringOf(address), 'must be a valid IP address')
  const text = addressText(found)
  const { family } = found
  const matches = (four: RegExp, six: RegExp): boolean => (family === 4 ? four : six).test(text)
  if (matches(/^0\.0\.0\.0$/, /^[0:]+$/)) invalidValue(errors, path, text, `may not be unspecified (${text})`)
  if (matches(/^127\./, /^(0*:)+:?0*1$/))
    invalidValue(errors, path, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')
  if (matches(/^169\.254\./, /^fe[89ab]/))
    invalidValue(errors, path, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')
  if (matches(/^224\.0\.0\./, /^ff[0-9a-f]2/))
    invalidValue(errors, path, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')
}

/** A network must be an address with the length of its prefix; answers whether it is. */
export function checkNetworkText(
  network: Json | undefined,
  path: string,
  errors: FieldError[],
  isCanonical = false,
): boolean {
  const text = stringOf(network)
  const why = networkFault(text, isCanonical)
  if (why !== undefined) invalidValue(errors, path, text, why)
  return why === undefined
}
