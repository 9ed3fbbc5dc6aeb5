import { isObject, type Json, type JsonObject, numberOf, objectsOf, stringOf } from '../../../../lib/kube/json.ts'
import { isQuantityError, parseQuantity } from '../../../../lib/kube/quantity.ts'
import { checkUserAnnotations } from '../user-annotations.ts'
import type { FieldError } from '../../fault.ts'
import {
  type Below,
  type Check,
  checkName,
  checkRange,
  checkWord,
  duplicate,
  forbid,
  HIGHEST_ID,
  invalidValue,
  required,
  unsupported,
} from '../fault-list.ts'
import { labelError, subdomainError } from '../../../../lib/kube/names.ts'
import { checkDescending, checkNoBacksteps } from '../paths.ts'

/** Sources of volumes in the order in which the server looks for them, with the words in which it tells of two. */
const SOURCES: readonly (readonly [field: string, told?: string])[] = [
  ['emptyDir'],
  ['hostPath'],
  ['gitRepo'],
  ['gcePersistentDisk'],
  ['awsElasticBlockStore'],
  ['secret'],
  ['nfs'],
  ['iscsi'],
  ['glusterfs'],
  ['flocker'],
  ['persistentVolumeClaim'],
  ['rbd'],
  ['cinder'],
  ['cephfs', 'cephFS'],
  ['quobyte'],
  ['downwardAPI', 'downwarAPI'],
  ['fc'],
  ['flexVolume'],
  ['configMap'],
  ['azureFile'],
  ['vsphereVolume'],
  ['photonPersistentDisk'],
  ['portworxVolume'],
  ['azureDisk'],
  ['storageos'],
  ['projected'],
  ['scaleIO'],
  ['csi'],
  ['ephemeral'],
  ['image'],
]
const HOST_PATHS = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']
const KEY_TYPES = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']
const HIGHEST_MODE = 0o777
const SHORTEST_TOKEN_SECONDS = 600
const LONGEST_TOKEN_SECONDS = 2 ** 32

/** Checks of a pod's volumes. @see k8s.io/kubernetes/pkg/apis/core/validation validateVolumeSource */
export const VOLUME_SOURCE_CHECKS: Readonly<Record<string, Check>> = {
  'core.v1.Volume': (volume, path, errors, below) => {
    const [first, ...others] = SOURCES.filter(([field]) => volume[field] !== undefined)
    const at = first?.[0] === 'gcePersistentDisk' ? `${path}.persistentDisk` : undefined
    if (first !== undefined) below(first[0], undefined, at)
    for (const [field, told] of others)
      forbid(errors, `${path}.${told ?? field}`, 'may not specify more than 1 volume type')
    if (stringOf(volume.name) === '') required(errors, `${path}.name`)
    else checkName(volume.name, `${path}.name`, labelError, errors)
  },
  'core.v1.HostPathVolumeSource': ({ path: given, type }, path, errors) => {
    if (stringOf(given) === '') return required(errors, `${path}.path`)
    checkNoBacksteps(stringOf(given), `${path}.path`, errors)
    if (type !== undefined && !HOST_PATHS.includes(stringOf(type)))
      unsupported(errors, `${path}.type`, type, HOST_PATHS)
  },
  'core.v1.EmptyDirVolumeSource': ({ sizeLimit }, path, errors) => {
    const amount = parseQuantity(stringOf(sizeLimit))
    if (sizeLimit !== undefined && !isQuantityError(amount) && amount.nano < 0n)
      forbid(errors, `${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')
  },
  'core.v1.GitRepoVolumeSource': ({ repository, directory }, path, errors) => {
    if (stringOf(repository) === '') required(errors, `${path}.repository`)
    checkDescending(stringOf(directory), `${path}.directory`, errors)
  },
  'core.v1.NFSVolumeSource': ({ server, path: given }, path, errors) => {
    if (stringOf(server) === '') required(errors, `${path}.server`)
    if (stringOf(given) === '') required(errors, `${path}.path`)
    if (!stringOf(given).startsWith('/'))
      invalidValue(errors, `${path}.path`, stringOf(given), 'must be an absolute path')
  },
  'core.v1.CSIVolumeSource': ({ driver, nodePublishSecretRef: secret }, path, errors) => {
    checkDriverName(driver, `${path}.driver`, errors)
    if (!isObject(secret)) return
    if (stringOf(secret.name) === '') required(errors, `${path}.nodePublishSecretRef.name`)
    else checkName(secret.name, `${path}.name`, subdomainError, errors)
  },
  'core.v1.EphemeralVolumeSource': ({ volumeClaimTemplate }, path, errors) => {
    if (volumeClaimTemplate === undefined) required(errors, `${path}.volumeClaimTemplate`)
  },
  'core.v1.ImageVolumeSource': ({ reference, pullPolicy }, path, errors) => {
    if (stringOf(reference) === '') required(errors, `${path}.reference`)
    checkWord(pullPolicy, `${path}.pullPolicy`, ['Always', 'IfNotPresent', 'Never'], errors)
  },
  'core.v1.KeyToPath': ({ path: given, user }, path, errors) => {
    checkOwnPath(given, `${path}.path`, errors)
    checkRange(user, `${path}.user`, errors, HIGHEST_ID)
  },
  'core.v1.DownwardAPIVolumeFile': checkFile,
  'core.v1.ProjectedVolumeSource': checkProjected,
  'core.v1.VolumeProjection': (source, path, errors, below) => {
    for (const [field, what] of [
      ['secret', source.secret],
      ['configMap', source.configMap],
    ] as const)
      if (isObject(what) && stringOf(what.name) === '') required(errors, `${path}.${field}.name`)
    for (const field of PROJECTIONS) below(field)
    if (PROJECTIONS.filter((field) => source[field] !== undefined).length > 1)
      forbid(errors, path, 'may not specify more than 1 volume type per source')
  },
  'core.v1.ServiceAccountTokenProjection': ({ expirationSeconds, path: given, user }, path, errors) => {
    const at = `${path}.expirationSeconds`
    const seconds = numberOf(expirationSeconds) ?? SHORTEST_TOKEN_SECONDS
    if (seconds < SHORTEST_TOKEN_SECONDS)
      invalidValue(errors, at, seconds, 'may not specify a duration less than 10 minutes')
    if (seconds > LONGEST_TOKEN_SECONDS)
      invalidValue(errors, at, seconds, 'may not specify a duration larger than 2^32 seconds')
    // The path is told of as one of the volume.
    const volume = path.replace(/\.sources\[\d+\]\.serviceAccountToken$/, '')
    if (stringOf(given) === '') required(errors, `${volume}.path`)
    checkOwnPath(given, `${volume}.path`, errors)
    checkRange(user, `${path}.user`, errors, HIGHEST_ID)
  },
  'core.v1.ClusterTrustBundleProjection': ({ name, signerName, path: given }, path, errors) => {
    if (name === undefined && signerName === undefined)
      required(errors, path, 'either name or signerName must be specified')
    if (stringOf(given) === '') required(errors, `${path}.path`)
    checkOwnPath(given, `${path}.path`, errors)
  },
  'core.v1.PodCertificateProjection': checkCertificate,
}

const PROJECTIONS = [
  'secret',
  'configMap',
  'downwardAPI',
  'serviceAccountToken',
  'clusterTrustBundle',
  'podCertificate',
]

/** The name of a storage driver. */
export function checkDriverName(driver: Json | undefined, path: string, errors: FieldError[]): void {
  const name = stringOf(driver)
  if (name === '') return required(errors, path)
  if (name.length > 63)
    errors.push({ field: path, type: 'TooLong', message: 'Too long: may not be more than 63 bytes' })
  const why = subdomainError(name.toLowerCase())
  if (why !== undefined) invalidValue(errors, path, name, why)
}

/** The volumes without fault, by name. What was found is told by volume, with that of names that are there twice. */
export function soundVolumes(
  volumes: readonly JsonObject[],
  path: string,
  found: readonly FieldError[],
  errors: FieldError[],
): ReadonlyMap<string, JsonObject> {
  const sound = new Map<string, JsonObject>()
  volumes.forEach((volume, index) => {
    const name = stringOf(volume.name)
    const own = found.filter(({ field }) => field.startsWith(`${path}[${index}]`))
    if (sound.has(name)) duplicate(own, `${path}[${index}].name`, name)
    if (own.length === 0) sound.set(name, volume)
    errors.push(...own)
  })
  return sound
}

/** A path inside the volume that is none of the server's own. */
function checkOwnPath(given: Json | undefined, path: string, errors: FieldError[]): void {
  const text = stringOf(given)
  checkDescending(text, path, errors)
  if (text.startsWith('..') && !text.startsWith('../') && text !== '..')
    invalidValue(errors, path, text, "must not start with '..'")
}

/** Files are told of by their volume, not by their place in it. */
function checkFile(file: JsonObject, path: string, errors: FieldError[], below: Below): void {
  const at = path.replace(/\.items\[\d+\]$/, '')
  if (stringOf(file.path) === '') required(errors, `${at}.path`)
  checkOwnPath(file.path, `${at}.path`, errors)
  below('fieldRef', undefined, `${at}.fieldRef`)
  if (file.fieldRef !== undefined) {
    if (file.resourceFieldRef !== undefined)
      invalidValue(errors, at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously')
  } else if (file.resourceFieldRef === undefined)
    required(errors, at, 'one of fieldRef and resourceFieldRef is required')
  else below('resourceFieldRef', undefined, `${at}.resourceFieldRef`)
  const mode = numberOf(file.mode) ?? 0
  if (mode < 0 || mode > HIGHEST_MODE)
    invalidValue(errors, `${at}.mode`, mode, 'must be a number between 0 and 0777 (octal), both inclusive')
}

function checkProjected(volume: JsonObject, path: string, errors: FieldError[], below: Below): void {
  below('sources')
  const seen = new Set<string>()
  for (const source of objectsOf(volume.sources))
    for (const field of ['secret', 'configMap', 'downwardAPI']) {
      const part = source[field]
      for (const { path: given } of isObject(part) ? objectsOf(part.items) : []) {
        const text = stringOf(given)
        if (text !== '' && seen.has(text))
          invalidValue(errors, path, isObject(part) ? (part.name ?? text) : text, 'conflicting duplicate paths')
        seen.add(text)
      }
    }
}

const SHORTEST_CERTIFICATE_SECONDS = 3600
const LONGEST_CERTIFICATE_SECONDS = 91 * 86400
/** Signers of Kubernetes itself sign for a day. */
const LONGEST_OF_KUBERNETES_SECONDS = 86400

function checkCertificate(certificate: JsonObject, path: string, errors: FieldError[]): void {
  const { maxExpirationSeconds: given, signerName, keyType } = certificate
  if (stringOf(signerName) === '') required(errors, `${path}.signerName`)
  if (!KEY_TYPES.includes(stringOf(keyType))) unsupported(errors, `${path}.keyType`, stringOf(keyType), KEY_TYPES)
  if (typeof given === 'number') {
    const isOwn = /^(.*\.)?kubernetes\.io\//.test(stringOf(signerName))
    const longest = isOwn ? LONGEST_OF_KUBERNETES_SECONDS : LONGEST_CERTIFICATE_SECONDS
    const at = `${path}.maxExpirationSeconds`
    if (given < SHORTEST_CERTIFICATE_SECONDS)
      invalidValue(errors, at, given, `if provided, maxExpirationSeconds must be >= ${SHORTEST_CERTIFICATE_SECONDS}`)
    if (given > longest) invalidValue(errors, at, given, `if provided, maxExpirationSeconds must be <= ${longest}`)
  }
  const paths = ['credentialBundlePath', 'keyPath', 'certificateChainPath']
  for (const field of paths) checkOwnPath(certificate[field], `${path}.${field}`, errors)
  if (paths.every((field) => stringOf(certificate[field]) === ''))
    required(errors, path, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath')
  checkUserAnnotations(certificate.userAnnotations, `${path}.userAnnotations`, errors)
}
