import { createHash, timingSafeEqual } from 'node:crypto'
import { SluiceError } from '../error/sluice-error.ts'
import { openDataKey, type OpenMasterKey } from './data-key.ts'
import { openEnvelope } from './envelope.ts'
import { emitPlain, loadEncrypted, type SopsFormat } from './format.ts'
import { parseMetadata, type SopsMetadata } from './metadata.ts'
import type { SopsEntry, SopsMap, SopsNode } from './tree.ts'

/** What to decrypt, and how. */
export type SopsInput = {
  readonly bytes: Uint8Array
  readonly input: SopsFormat
  readonly output: SopsFormat
  readonly open: OpenMasterKey
  /** `always`; `encrypted only`: when the file's MAC covers nothing but encrypted values, because others were changed on the way; `never`. */
  readonly checkMac: 'always' | 'encrypted only' | 'never'
}

/** Files above this are not decrypted. */
export const LARGEST_SOPS_BYTES = 5 * 1024 * 1024

/** How SOPS calls its formats. */
const NAMES: Readonly<Record<SopsFormat, string>> = {
  yaml: 'YAML',
  json: 'JSON',
  dotenv: 'dotenv',
  ini: 'INI',
  binary: 'binary',
}

/** So that a MAC over encrypted values alone is never one over all: sha256 of `sops`. */
const ENCRYPTED_ONLY = Buffer.from('8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69', 'hex')

/**
 * Decrypts a SOPS file.
 *
 * @throws SluiceError SOPS_DECRYPT in the words of SOPS and of Flux: no key fits, a value was moved or edited, or the MAC does not fit the content
 * @see https://github.com/getsops/sops
 */
export async function decryptSops({ bytes, input, output, open, checkMac }: SopsInput): Promise<Buffer> {
  const { documents, metadata } = named(`failed to load encrypted ${NAMES[input]} data`, () => {
    const { metadata: written, ...file } = loadEncrypted(bytes, input)
    return { ...file, metadata: parseMetadata(written) }
  })
  if (metadata.needsComments && input === 'yaml')
    throw new SluiceError(
      'SOPS_DECRYPT',
      'rules by comments (encrypted_comment_regex) are not supported in YAML files',
      {
        where: 'sops',
        hint: 'encrypt the file with encrypted_regex or encrypted_suffix',
      },
    )
  const dataKey = await openDataKey(metadata, open)
  const { plain, mac } = decryptDocuments(documents, metadata, dataKey)
  const isChecked = checkMac === 'always' || (checkMac === 'encrypted only' && metadata.isMacOfEncryptedOnly)
  if (isChecked) verifyMac(metadata, dataKey, mac)
  return named(`failed to emit encrypted ${NAMES[input]} file as decrypted ${NAMES[output]}`, () =>
    emitPlain(plain, output),
  )
}

/** Does a step; its faults begin with what it was. */
function named<Result>(what: string, run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const { message, retry, where, hint } = error
    throw new SluiceError('SOPS_DECRYPT', `${what}: ${message}`, {
      retry,
      ...(where === undefined ? {} : { where }),
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    })
  }
}

function decryptDocuments(
  documents: readonly SopsMap[],
  { isEncrypted, isMacOfEncryptedOnly }: SopsMetadata,
  dataKey: Uint8Array,
): { readonly plain: readonly SopsMap[]; readonly mac: string } {
  const hash = createHash('sha512')
  if (isMacOfEncryptedOnly) hash.update(ENCRYPTED_ONLY)
  const plain = documents.map((document) => decryptMap(document, [], []))
  return { plain, mac: hash.digest('hex').toUpperCase() }

  function decryptNode(node: SopsNode, path: readonly string[], comments: readonly (readonly string[])[]): SopsNode {
    if (node.kind === 'map') return decryptMap(node, path, comments)
    if (node.kind === 'list')
      return { kind: 'list', items: node.items.map((item) => decryptNode(item, path, comments)) }
    if (node.kind === 'comment') return decryptComment(node.text, path, comments)
    if (node.type === 'null') return node
    const isSealed = isEncrypted(path, comments)
    if (isSealed && node.type !== 'str')
      throw new SluiceError('SOPS_DECRYPT', `expected encrypted value as string, but got ${node.type}`, {
        where: path.join('.'),
      })
    const opened = isSealed ? openEnvelope(node.bytes.toString('utf8'), dataKey, placeOf(path)) : node
    if (opened.kind === 'leaf' && (isSealed || !isMacOfEncryptedOnly)) hash.update(opened.bytes)
    return opened
  }

  function decryptMap(map: SopsMap, path: readonly string[], above: readonly (readonly string[])[]): SopsMap {
    let active: readonly string[] = []
    const entries = map.entries.map((entry): SopsEntry => {
      if (!('key' in entry)) {
        active = [...active, entry.text]
        return decryptComment(entry.text, path, [...above, active.slice(0, -1)])
      }
      const value = decryptNode(entry.value, [...path, entry.key], [...above, active])
      active = []
      return { key: entry.key, value }
    })
    return { kind: 'map', entries }
  }

  /** Older files have comments that were never encrypted: they stay. */
  function decryptComment(
    text: string,
    path: readonly string[],
    comments: readonly (readonly string[])[],
  ): { readonly kind: 'comment'; readonly text: string } {
    if (!isEncrypted(path, comments) || !text.trimStart().startsWith('ENC[')) return { kind: 'comment', text }
    try {
      const opened = openEnvelope(text.trimStart(), dataKey, placeOf(path))
      return { kind: 'comment', text: opened.kind === 'comment' ? opened.text : opened.bytes.toString('utf8') }
    } catch {
      return { kind: 'comment', text }
    }
  }
}

function placeOf(path: readonly string[]): string {
  return `${path.join(':')}:`
}

function verifyMac({ mac, lastModified }: SopsMetadata, dataKey: Uint8Array, computed: string): void {
  const opened = mac === '' ? undefined : openEnvelope(mac, dataKey, goTime(lastModified))
  const expected = opened?.kind === 'leaf' ? opened.bytes : Buffer.alloc(0)
  const actual = Buffer.from(computed)
  if (expected.length === actual.length && timingSafeEqual(expected, actual)) return
  throw new SluiceError('SOPS_DECRYPT', 'failed to verify sops data integrity: the MAC does not fit the content', {
    where: 'sops.mac',
    hint: 'the file was edited by hand after it was encrypted; write it again with "sops edit"',
  })
}

/** As Go writes RFC 3339: to the second, the offset as it is, `Z` for UTC. */
function goTime(text: string): string {
  return text.replace(/\.\d+/, '').replace(/\+00:00$/, 'Z')
}
