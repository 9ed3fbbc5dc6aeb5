import { createPrivateKey, X509Certificate } from 'node:crypto'
import { SluiceError } from '../lib/error/sluice-error.ts'

/** Certificates for a connection, in PEM. */
export type TlsFiles = { readonly caPem?: string; readonly certPem?: string; readonly keyPem?: string }

/** The decoded values of a Secret. */
type SecretData = Readonly<Record<string, Buffer>>

/** `ca.crt`, `tls.crt` and `tls.key` of a Secret, or their old names; what is empty is not there. */
export function tlsFilesOf(data: SecretData): TlsFiles {
  const text = (key: string, old: string): string => (data[key] ?? data[old])?.toString('utf8') ?? ''
  const [caPem, certPem, keyPem] = [text('ca.crt', 'caFile'), text('tls.crt', 'certFile'), text('tls.key', 'keyFile')]
  return {
    ...(caPem === '' ? {} : { caPem }),
    ...(certPem === '' ? {} : { certPem }),
    ...(keyPem === '' ? {} : { keyPem }),
  }
}

/**
 * Reads a Secret that is there for its certificates, in the words of Flux's `runtime/secrets`.
 *
 * @param place `namespace/name` of the Secret
 * @throws SluiceError OBJECT_INVALID when it lacks one, or holds something else
 */
export function readTlsSecret(place: string, data: SecretData): TlsFiles {
  const files = tlsFilesOf(data)
  const lacking = lackOf(files)
  if (lacking !== undefined) throw invalid(`secret '${place}' ${lacking}`)
  checkTlsFiles(files)
  return files
}

/**
 * Refuses what is no certificate, no key, or the key of another certificate.
 *
 * @throws SluiceError OBJECT_INVALID
 */
export function checkTlsFiles({ caPem, certPem, keyPem }: TlsFiles): void {
  for (const [what, pem] of Object.entries({ certificate: certPem, key: keyPem }))
    if (pem !== undefined && !pem.includes('-----BEGIN '))
      throw invalid(`failed to parse TLS certificate and key: tls: failed to find any PEM data in ${what} input`)
  if (certPem !== undefined && keyPem !== undefined && areStrangers(certPem, keyPem))
    throw invalid('failed to parse TLS certificate and key: tls: private key does not match public key')
  if (caPem !== undefined && !isCertificate(caPem)) throw invalid('failed to parse CA certificate')
}

/** What a Secret of certificates lacks; undefined when nothing. */
export function lackOf({ caPem, certPem, keyPem }: TlsFiles): string | undefined {
  if (certPem !== undefined && keyPem === undefined) return "contains 'tls.crt' but missing 'tls.key'"
  if (certPem === undefined && keyPem !== undefined) return "contains 'tls.key' but missing 'tls.crt'"
  return caPem === undefined && certPem === undefined
    ? "must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'"
    : undefined
}

/** Whether a key is not that of the certificate; what cannot be read says nothing. */
function areStrangers(certPem: string, keyPem: string): boolean {
  try {
    return !new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem))
  } catch {
    return false
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).fingerprint256 !== ''
  } catch {
    return false
  }
}

function invalid(message: string): SluiceError {
  return new SluiceError('OBJECT_INVALID', message, { where: 'spec.certSecretRef' })
}
