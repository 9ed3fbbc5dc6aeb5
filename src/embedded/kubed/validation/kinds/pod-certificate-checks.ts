import { createPublicKey, type KeyObject, verify, X509Certificate } from 'node:crypto'
import {
  equal,
  type Json,
  type JsonObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  stringOf,
} from '../../../../lib/kube/json.ts'
import { subdomainError } from '../../../../lib/kube/names.ts'
import { pemBlocks } from '../../../../lib/x509/pem.ts'
import { readSigningRequest } from '../../../../lib/x509/request.ts'
import type { FieldError } from '../../fault.ts'
import { type Obj, specOf } from '../../object.ts'
import { type Check, checkName, duplicate, invalidValue, push, required, unsupported } from '../fault-list.ts'
import { checkConditionWords } from '../condition-words.ts'
import { isMailAddress } from '../custom/mail-address.ts'
import { checkUserAnnotations } from '../user-annotations.ts'
import { checkSignerName } from './certificate-checks.ts'

const [MINUTE_MS, HOUR_SECONDS] = [60_000, 3600]
const DAY_SECONDS = 24 * HOUR_SECONDS
const [MOST_KEY_BYTES, MOST_CHAIN_BYTES, MOST_UID] = [10 * 1024, 100 * 1024, 128]
const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }
const ENDS = ['Issued', 'Denied', 'Failed']
const [REQUEST, KEY, PROOF] = ['spec.stubPKCS10Request', 'spec.pkixPublicKey', 'spec.proofOfPossession'] as const
const CHAIN = 'status.certificateChain'

/**
 * Checks of what a node asks for one of its pods.
 *
 * @see k8s.io/kubernetes/pkg/apis/certificates/validation ValidatePodCertificateRequestCreate
 */
export const POD_CERTIFICATE_CHECKS: Readonly<Record<string, Check>> = {
  'certificates.v1.PodCertificateRequestSpec': (spec, path, errors) => {
    checkSignerName(stringOf(spec.signerName), `${path}.signerName`, errors)
    checkUserAnnotations(spec.unverifiedUserAnnotations, `${path}.unverifiedUserAnnotations`, errors)
    for (const of of ['pod', 'serviceAccount', 'node']) {
      checkName(stringOf(spec[`${of}Name`]), `${path}.${of}Name`, subdomainError, errors)
      const [at, uid] = [`${path}.${of}UID`, stringOf(spec[`${of}UID`])]
      if (uid === '') invalidValue(errors, at, uid, 'must not be empty')
      if (uid.length > MOST_UID) tooLong(errors, at, MOST_UID)
    }
    checkLifetime(spec, `${path}.maxExpirationSeconds`, errors)
    const [request, key, proof] = [spec.stubPKCS10Request, spec.pkixPublicKey, spec.proofOfPossession].map(stringOf)
    if (request && !key && !proof) checkStub(request, errors)
    else if (!request && key && proof) checkProof(key, proof, stringOf(spec.podUID), errors)
    else
      invalidPlain(errors, path, 'exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set')
  },
}

function checkLifetime({ signerName, maxExpirationSeconds }: JsonObject, path: string, errors: FieldError[]): void {
  const seconds = numberOf(maxExpirationSeconds)
  if (seconds === undefined) return required(errors, path, 'must be set')
  const [domain = ''] = stringOf(signerName).split('/')
  const isOwn = `.${domain}`.endsWith('.kubernetes.io')
  const longest = isOwn ? DAY_SECONDS : 91 * DAY_SECONDS
  if (seconds < HOUR_SECONDS || seconds > longest)
    invalidValue(errors, path, seconds, `must be in the range [${HOUR_SECONDS}, ${longest}]`)
}

function checkStub(request: string, errors: FieldError[]): void {
  if (bytesOf(request).length > MOST_KEY_BYTES) return tooLong(errors, REQUEST, MOST_KEY_BYTES)
  const read = readStub(request)
  if (read === undefined) return invalidPlain(errors, REQUEST, 'must be a valid PKCS#10 CSR')
  if (checkKey(read.key, REQUEST, 'P256, P384, or P521', errors) && !read.isSigned)
    invalidPlain(errors, REQUEST, 'invalid signature')
}

/** The older way: the key, and a signature of the pod's uid by it. */
function checkProof(given: string, proof: string, uid: string, errors: FieldError[]): void {
  if (bytesOf(given).length > MOST_KEY_BYTES) return tooLong(errors, KEY, MOST_KEY_BYTES)
  if (bytesOf(proof).length > MOST_KEY_BYTES) return tooLong(errors, PROOF, MOST_KEY_BYTES)
  const key = publicKeyOf(bytesOf(given))
  if (key === undefined) return invalidValue(errors, KEY, given, 'must be a valid PKIX-serialized public key')
  if (!checkKey(key, KEY, 'P256 or P384', errors)) return
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  // 6: PSS, which keys of other types do not look at
  const how = key.asymmetricKeyType === 'rsa' ? { key, padding: 6 } : key
  if (!verify(digest, Buffer.from(uid), how, bytesOf(proof)))
    invalidPlain(errors, PROOF, 'could not verify proof-of-possession signature')
}

function checkKey(key: KeyObject, path: string, curves: string, errors: FieldError[]): boolean {
  const before = errors.length
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  const bits = Math.ceil(modulusLength / 8) * 8
  if (key.asymmetricKeyType === 'ec' && CURVES[namedCurve] === undefined)
    invalidValue(errors, path, `curve ${namedCurve}`, `elliptic public keys must use curve ${curves}`)
  else if (key.asymmetricKeyType === 'rsa' && bits !== 3072 && bits !== 4096)
    invalidValue(errors, path, `${bits}-bit modulus`, 'RSA keys must have modulus size 3072 or 4096')
  else if (!['ec', 'rsa', 'ed25519'].includes(key.asymmetricKeyType ?? ''))
    invalidPlain(errors, path, 'unknown public key type; supported types are Ed25519, ECDSA, and RSA')
  return errors.length === before
}

/**
 * Checks what a signer says of a request: once, and then never again.
 *
 * @see k8s.io/kubernetes/pkg/apis/certificates/validation ValidatePodCertificateRequestStatusUpdate
 */
export function podCertificateFaults(request: Obj, before: Obj, nowMs: number): FieldError[] {
  const errors: FieldError[] = []
  const [status, had] = [plainStatus(request.status), plainStatus(before.status)]
  checkConditions(objectsOf(status.conditions), errors)
  if (errors.length > 0) return errors
  const change = (why: string): void => invalidPlain(errors, 'status', why)
  const isSame = equal(status, had)
  if (ENDS.some((type) => isTrue(had, type))) {
    if (!isSame) change('immutable after PodCertificateRequest is issued, denied, or failed')
  } else if (isTrue(status, 'Denied') || isTrue(status, 'Failed')) {
    if (!equal(status, plainStatus({ conditions: status.conditions })))
      change('non-condition status fields must be empty when denying or failing the PodCertificateRequest')
  } else if (isTrue(status, 'Issued')) checkIssued(status, specOf(before), nowMs, errors)
  else if (!isSame) change('status is immutable unless transitioning to "Issued", "Denied", or "Failed"')
  return errors
}

/** A status in which what is not said is said to be empty, to be compared. */
export function plainStatus(status: Json | undefined): JsonObject {
  const { conditions, certificateChain, notBefore = null, notAfter = null, beginRefreshAt = null } = objectOf(status)
  const chain = stringOf(certificateChain)
  return { conditions: listOf(conditions), certificateChain: chain, notBefore, notAfter, beginRefreshAt }
}

const isTrue = ({ conditions }: JsonObject, type: string): boolean =>
  objectsOf(conditions).some((each) => each.type === type && each.status === 'True')

function checkConditions(conditions: readonly JsonObject[], errors: FieldError[]): void {
  const types = conditions.map(({ type }) => stringOf(type))
  const firstEnd = types.findIndex((type) => ENDS.includes(type))
  conditions.forEach(({ status }, index) => {
    const [at, type] = [`status.conditions[${index}]`, types[index] ?? '']
    if (!ENDS.includes(type)) return unsupported(errors, `${at}.type`, type, ENDS)
    if (index > firstEnd)
      invalidValue(
        errors,
        `${at}.type`,
        type,
        'There may be at most one condition with type "Issued", "Denied", or "Failed"',
      )
    if (status !== 'True') unsupported(errors, `${at}.status`, stringOf(status), ['True'])
  })
  conditions.forEach((condition, index) => {
    const at = `status.conditions[${index}]`
    if (types.indexOf(types[index] ?? '') < index) duplicate(errors, at, types[index])
    if (!condition.lastTransitionTime) required(errors, `${at}.lastTransitionTime`)
    checkConditionWords(condition, at, errors)
  })
}

function checkIssued(status: JsonObject, spec: JsonObject, nowMs: number, errors: FieldError[]): void {
  const chain = stringOf(status.certificateChain)
  const bad = (why: string): void => invalidValue(errors, CHAIN, chain, why)
  if (Buffer.byteLength(chain) > MOST_CHAIN_BYTES) return tooLong(errors, CHAIN, MOST_CHAIN_BYTES)
  const blocks = pemBlocks(chain)
  const [first, ...others] = blocks.map(({ base64 }) => certificateOf(base64))
  if (blocks.length === 0) return bad('issued certificate chain must contain at least one certificate')
  if (blocks.some(({ label }) => label !== 'CERTIFICATE'))
    return bad('issued certificate chain must consist entirely of CERTIFICATE PEM blocks')
  if (first === undefined) return bad('leaf certificate does not parse as valid X.509')
  checkNames(first, errors)
  if (!wantedKey(spec)?.equals(first.publicKey))
    return bad('leaf certificate was not issued to the requested public key')
  if (checkDates(status, first, nowMs, errors) && checkSpan(status, first, spec, errors) && others.includes(undefined))
    bad('intermediate certificate does not parse as valid X.509')
}

/** The names that a certificate is for. */
function checkNames({ subjectAltName = '' }: X509Certificate, errors: FieldError[]): void {
  // names in which the separator could be meant are quoted as in JSON
  for (const [, kind, given = ''] of subjectAltName.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    const name = given.startsWith('"') ? stringOf(JSON.parse(given)) : given
    const bad = (why: string): void => invalidValue(errors, CHAIN, name, `leaf certificate${why}`)
    if (kind === 'email' && !isMailAddress(name)) bad(' should not contain invalid EmailAddress')
    if (kind !== 'DNS') continue
    if (name === '') bad(' should not contain empty DNSName')
    if (name.includes('..')) bad("'s DNSName should not contain '..'")
    if (/^\.|\.$/.test(name)) bad("'s DNSName should not start or end with '.'")
  }
}

const DATES = {
  notBefore: 'and consistent with the issued certificate',
  notAfter: 'and consistent with the issued certificate',
  beginRefreshAt: 'and in the range [notbefore+10min, notafter-10min]',
}

/** The dates are those of the certificate, which holds from now on. */
function checkDates(status: JsonObject, leaf: X509Certificate, nowMs: number, errors: FieldError[]): boolean {
  const before = errors.length
  const wrong = (field: string, why: string): void => invalidValue(errors, `status.${field}`, status[field], why)
  for (const [field, why] of Object.entries(DATES))
    if (status[field] === null) required(errors, `status.${field}`, `must be present ${why}`)
  if (errors.length > before) return false
  const [from, to] = [dateOf(status.notBefore), dateOf(status.notAfter)]
  if (from !== Date.parse(leaf.validFrom))
    wrong('notBefore', 'must be set to the NotBefore time encoded in the leaf certificate')
  else if (Math.abs(from - nowMs) > 5 * MINUTE_MS)
    wrong('notBefore', "must be set to within 5 minutes of kube-apiserver's current time")
  else if (to !== Date.parse(leaf.validTo))
    wrong('notAfter', 'must be set to the NotAfter time encoded in the leaf certificate')
  return errors.length === before
}

/** It holds long enough, not longer than asked for, and there is time to renew it. */
function checkSpan(status: JsonObject, leaf: X509Certificate, spec: JsonObject, errors: FieldError[]): boolean {
  const before = errors.length
  const [fromMs, toMs] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)]
  const [seconds, most] = [(toMs - fromMs) / 1000, numberOf(spec.maxExpirationSeconds) ?? 0]
  const refreshMs = dateOf(status.beginRefreshAt)
  // the original tells of a span in nanoseconds
  const span = (why: string): void =>
    invalidValue(errors, CHAIN, seconds * 1e9, `leaf certificate lifetime must be ${why}`)
  const refresh = (why: string): void =>
    invalidValue(errors, 'status.beginRefreshAt', status.beginRefreshAt, `must be ${why}`)
  if (seconds < HOUR_SECONDS) span('>= 1 hour')
  else if (seconds > most) span(`<= spec.maxExpirationSeconds (${most})`)
  else if (!(refreshMs >= fromMs + 10 * MINUTE_MS)) refresh('at least 10 minutes after status.notBefore')
  else if (!(refreshMs <= toMs - 10 * MINUTE_MS)) refresh('at least 10 minutes before status.notAfter')
  return errors.length === before
}

function wantedKey({ stubPKCS10Request, pkixPublicKey }: JsonObject): KeyObject | undefined {
  const request = stringOf(stubPKCS10Request)
  return request === '' ? publicKeyOf(bytesOf(stringOf(pkixPublicKey))) : readStub(request)?.key
}

function readStub(base64: string): { readonly key: KeyObject; readonly isSigned: boolean } | undefined {
  const read = readSigningRequest(`-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`)
  const key = read && publicKeyOf(Buffer.from(read.publicKey))
  return key && { key, isSigned: read.isSigned }
}

function publicKeyOf(der: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

function certificateOf(base64: string): X509Certificate | undefined {
  try {
    return new X509Certificate(bytesOf(base64))
  } catch {
    return undefined
  }
}

const bytesOf = (base64: string): Buffer => Buffer.from(base64, 'base64')
const dateOf = (date: Json | undefined): number => Date.parse(stringOf(date))
const tooLong = (errors: FieldError[], path: string, most: number): void =>
  push(errors, path, 'TooLong', `Too long: may not be more than ${most} bytes`)
/** The value is not told. */
const invalidPlain = (errors: FieldError[], path: string, why: string): void =>
  push(errors, path, 'Invalid', `Invalid value: ${why}`)
