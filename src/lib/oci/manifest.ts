import { SluiceError } from '../error/sluice-error.ts'
import { parseDigest } from './digest.ts'
import { isIndexType, MEDIA } from './media-types.ts'
import type { Descriptor, ImageConfig, Manifest } from './types.ts'
import { isRecord } from '../value/is-record.ts'

/**
 * Reads a manifest of OCI or Docker (schema 2), image or index.
 *
 * @param declared the Content-Type it came with; must not contradict the manifest's own mediaType
 * @throws SluiceError OCI_MANIFEST_INVALID naming the field
 */
export function parseManifest(bytes: Uint8Array, declared: string | undefined, where: string): Manifest {
  const value = parseJsonObject(bytes, where)
  const own = value['mediaType']
  if (own !== undefined && typeof own !== 'string') throw invalid('mediaType is not a string', where)
  if (own !== undefined && declared !== undefined && declared !== '' && own !== declared)
    throw invalid(`mediaType is "${own}" but it was sent as "${declared}"`, where)
  if (value['schemaVersion'] !== 2) throw invalid('schemaVersion is not 2', where)
  const mediaType = own ?? (declared || (Array.isArray(value['manifests']) ? MEDIA.index : MEDIA.manifest))
  const common = {
    mediaType,
    subject: value['subject'] === undefined ? undefined : parseDescriptor(value['subject'], 'subject', where),
    artifactType: typeof value['artifactType'] === 'string' ? value['artifactType'] : undefined,
    annotations: parseAnnotations(value['annotations'], where),
  }
  if (isIndexType(mediaType)) {
    if (value['layers'] !== undefined || value['config'] !== undefined)
      throw invalid('an index has no config and no layers', where)
    return { kind: 'index', ...common, manifests: parseDescriptors(value['manifests'], 'manifests', where) }
  }
  if (value['manifests'] !== undefined) throw invalid('an image manifest has no manifests', where)
  const config = parseDescriptor(value['config'], 'config', where)
  return { kind: 'image', ...common, config, layers: parseDescriptors(value['layers'], 'layers', where) }
}

/**
 * Reads an image configuration.
 * @throws SluiceError OCI_MANIFEST_INVALID when it is no configuration of an image made of layers
 */
export function parseImageConfig(bytes: Uint8Array, where: string): ImageConfig {
  const value = parseJsonObject(bytes, where)
  const { rootfs, architecture, os } = value
  if (typeof architecture !== 'string' || typeof os !== 'string') throw invalid('architecture or os is missing', where)
  if (!isRecord(rootfs) || !Array.isArray(rootfs['diff_ids'])) throw invalid('rootfs.diff_ids is missing', where)
  for (const id of rootfs['diff_ids'])
    if (typeof id !== 'string' || parseDigest(id) === undefined)
      throw invalid(`rootfs.diff_ids holds ${JSON.stringify(id)}`, where)
  return value as unknown as ImageConfig
}

function parseJsonObject(bytes: Uint8Array, where: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
    if (isRecord(value)) return value
  } catch (cause) {
    throw new SluiceError('OCI_MANIFEST_INVALID', 'the text is not JSON', { where, cause })
  }
  throw invalid('the text is not a JSON object', where)
}

function parseDescriptors(value: unknown, field: string, where: string): Descriptor[] {
  if (!Array.isArray(value)) throw invalid(`${field} is not a list`, where)
  return value.map((each, index) => parseDescriptor(each, `${field}[${index}]`, where))
}

function parseDescriptor(value: unknown, field: string, where: string): Descriptor {
  if (!isRecord(value)) throw invalid(`${field} is not a descriptor`, where)
  const { mediaType, digest, size } = value
  if (typeof mediaType !== 'string') throw invalid(`${field}.mediaType is missing`, where)
  if (typeof digest !== 'string' || parseDigest(digest) === undefined)
    throw invalid(`${field}.digest is not a sha256 or sha512 digest: ${JSON.stringify(digest)}`, where)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`${field}.size is not a size: ${JSON.stringify(size)}`, where)
  return value as unknown as Descriptor
}

function parseAnnotations(value: unknown, where: string): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined
  if (!isRecord(value) || Object.values(value).some((each) => typeof each !== 'string'))
    throw invalid('annotations is not a map of strings', where)
  return value as Record<string, string>
}

function invalid(message: string, where: string): SluiceError {
  return new SluiceError('OCI_MANIFEST_INVALID', message, { where })
}
