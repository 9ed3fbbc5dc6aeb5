import { rootCertificates, type SecureContextOptions } from 'node:tls'

/** Whom a TLS client trusts besides the public authorities, and how it shows who it is. */
export type TlsTrust = {
  readonly caPem?: string
  readonly certPem?: string
  readonly keyPem?: string
  /** Takes any certificate; only where a user asked for it in so many words. */
  readonly isUnverified?: boolean
}

/** Node's options for a trust; a given authority stands beside the public ones, as in Flux. */
export function tlsOptions(trust: TlsTrust): SecureContextOptions & { readonly rejectUnauthorized?: boolean } {
  return {
    ...(trust.caPem === undefined ? {} : { ca: [...rootCertificates, trust.caPem] }),
    ...(trust.certPem === undefined ? {} : { cert: trust.certPem }),
    ...(trust.keyPem === undefined ? {} : { key: trust.keyPem }),
    ...(trust.isUnverified === true ? { rejectUnauthorized: false } : {}),
  }
}
