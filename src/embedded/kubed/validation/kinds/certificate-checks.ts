import { type Json, listOf, numberOf, stringOf } from '../../../../lib/kube/json.ts'
import { labelError, subdomainError } from '../../../../lib/kube/names.ts'
import type { FieldError } from '../../fault.ts'
import { type Check, duplicate, invalidValue, required, unsupported } from '../fault-list.ts'

const USAGES = [
  ...['any', 'cert sign', 'client auth', 'code signing', 'content commitment', 'crl sign', 'data encipherment'],
  ...['decipher only', 'digital signature', 'email protection', 'encipher only', 'ipsec end system', 'ipsec tunnel'],
  ...['ipsec user', 'key agreement', 'key encipherment', 'microsoft sgc', 'netscape sgc', 'ocsp signing', 's/mime'],
  ...['server auth', 'signing', 'timestamping'],
]
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown'
const LEGACY = 'the legacy signerName is not allowed via this API version'
const SHORTEST_SECONDS = 600
const REQUEST = /-----BEGIN CERTIFICATE REQUEST-----[^]*-----END CERTIFICATE REQUEST-----/

/**
 * Checks of requests for certificates. What stands in the request itself is for the signer to read.
 *
 * @see k8s.io/kubernetes/pkg/apis/certificates/validation
 */
export const CERTIFICATE_CHECKS: Readonly<Record<string, Check>> = {
  'certificates.v1.CertificateSigningRequestSpec': (spec, path, errors) => {
    const { request = null, expirationSeconds } = spec
    if (!REQUEST.test(Buffer.from(stringOf(request), 'base64').toString('latin1')))
      invalidValue(errors, `${path}.request`, request, 'PEM block type must be CERTIFICATE REQUEST')
    checkUsages(listOf(spec.usages), `${path}.usages`, errors)
    if (spec.signerName === LEGACY_SIGNER) invalidValue(errors, `${path}.signerName`, LEGACY_SIGNER, LEGACY)
    else checkSignerName(stringOf(spec.signerName), `${path}.signerName`, errors)
    const seconds = numberOf(expirationSeconds)
    if (seconds !== undefined && seconds < SHORTEST_SECONDS)
      invalidValue(
        errors,
        `${path}.expirationSeconds`,
        seconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      )
  },
}

function checkUsages(usages: readonly Json[], path: string, errors: FieldError[]): void {
  if (usages.length === 0) required(errors, path)
  usages.forEach((usage, index) => {
    if (!USAGES.includes(stringOf(usage))) unsupported(errors, `${path}[${index}]`, usage, USAGES)
  })
  usages.forEach((usage, index) => {
    if (usages.indexOf(usage) < index) duplicate(errors, `${path}[${index}]`, usage)
  })
}

/** A signer is named by its domain and a path. */
export function checkSignerName(name: string, path: string, errors: FieldError[]): void {
  if (name === '') return required(errors, path)
  const [domain = '', rest = '', ...others] = name.split('/')
  if (!name.includes('/') || others.length > 0)
    return invalidValue(
      errors,
      path,
      name,
      "must be a fully qualified domain and path of the form 'example.com/signer-name'",
    )
  checkParts(domain, path, labelError, errors)
  if (!domain.includes('.'))
    invalidValue(errors, path, domain, 'should be a domain with at least two segments separated by dots')
  checkParts(rest, path, subdomainError, errors)
}

/** Of the parts between dots the first that is wrong is told. */
function checkParts(
  text: string,
  path: string,
  test: (part: string) => string | undefined,
  errors: FieldError[],
): void {
  const bad = text.split('.').find((part) => test(part) !== undefined)
  if (bad !== undefined) invalidValue(errors, path, text, `validating label ${JSON.stringify(bad)}: ${test(bad) ?? ''}`)
}
