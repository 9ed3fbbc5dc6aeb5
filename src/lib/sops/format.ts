import { SluiceError } from '../error/sluice-error.ts'
import { emitDotenv, loadDotenv } from './dotenv-store.ts'
import { emitIni, loadIni } from './ini-store.ts'
import { emitJson, loadJson } from './json-store.ts'
import type { SopsEntry, SopsFile, SopsMap } from './tree.ts'
import { textOf, leaf, fieldOf } from './tree.ts'
import { unflatten } from './unflatten.ts'
import { emitYaml, loadYaml } from './yaml-store.ts'

/** The formats of SOPS; binary is any file, wrapped in JSON. */
export type SopsFormat = 'yaml' | 'json' | 'dotenv' | 'ini' | 'binary'

/** What a file of a format has in it when SOPS encrypted it: cheap to look for before anything is parsed. */
const MARKERS: Readonly<Record<SopsFormat, string>> = {
  yaml: 'mac: ENC[',
  json: '"mac": "ENC[',
  dotenv: 'sops_mac=ENC[',
  ini: '[sops]',
  binary: '"mac": "ENC[',
}

/** The format that a path asks for by its ending; anything unknown is binary. */
export function formatOfPath(path: string): SopsFormat {
  if (/\.ya?ml$/.test(path)) return 'yaml'
  if (path.endsWith('.json') || path.endsWith('.dockerconfigjson')) return 'json'
  if (path.endsWith('.env')) return 'dotenv'
  return path.endsWith('.ini') ? 'ini' : 'binary'
}

/** Whether bytes of a format look encrypted. */
export function looksEncrypted(bytes: Uint8Array, format: SopsFormat): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(MARKERS[format])
}

/** The format of encrypted bytes of which nothing else is known; `undefined`: they are not encrypted. */
export function encryptedFormatOf(bytes: Uint8Array): SopsFormat | undefined {
  return (['json', 'dotenv', 'ini', 'yaml'] as const).find((format) => looksEncrypted(bytes, format))
}

/** Reads an encrypted file, its `sops` part taken out. @throws SluiceError SOPS_DECRYPT, YAML_SYNTAX */
export function loadEncrypted(bytes: Uint8Array, format: SopsFormat): SopsFile {
  const text = new TextDecoder().decode(bytes)
  switch (format) {
    case 'yaml':
      return extract(loadYaml(text))
    case 'json':
    case 'binary':
      return extract([loadJson(text)])
    case 'dotenv':
      return extractFlat(loadDotenv(text))
    case 'ini':
      return extractIni(loadIni(text))
  }
}

/** Writes decrypted documents. @throws SluiceError SOPS_DECRYPT when they do not fit into the format */
export function emitPlain(documents: readonly SopsMap[], format: SopsFormat): Buffer {
  const first: SopsMap = documents[0] ?? { kind: 'map', entries: [] }
  switch (format) {
    case 'yaml':
      return Buffer.from(emitYaml(documents))
    case 'json':
      return Buffer.from(emitJson(first))
    case 'dotenv':
      return Buffer.from(emitDotenv(first))
    case 'ini':
      return Buffer.from(emitIni(first))
    case 'binary': {
      const data = fieldOf(first, 'data')
      if (data?.kind === 'leaf' && data.type === 'str') return data.bytes
      throw new SluiceError('SOPS_DECRYPT', 'error emitting binary store: no binary data found in tree')
    }
  }
}

function extract(documents: readonly SopsMap[]): SopsFile {
  const metadata = fieldOf(documents[0], 'sops')
  if (metadata?.kind !== 'map') throw notFound()
  return { metadata, documents: documents.map((document) => without(document, (key) => key === 'sops')) }
}

function extractFlat(document: SopsMap): SopsFile {
  const own = document.entries.flatMap((entry) =>
    'key' in entry && entry.key.startsWith('sops_') ? [{ ...entry, key: entry.key.slice('sops_'.length) }] : [],
  )
  if (own.length === 0) throw notFound()
  return { metadata: unflatten(own), documents: [without(document, (key) => key.startsWith('sops_'))] }
}

function extractIni(document: SopsMap): SopsFile {
  const { metadata, documents } = extract([document])
  const lines = metadata.entries.map((entry): SopsEntry =>
    'key' in entry ? { key: entry.key, value: leaf('str', textOf(entry.value).replaceAll('\\n', '\n')) } : entry,
  )
  return { metadata: unflatten(lines), documents }
}

function without(document: SopsMap, isLeftOut: (key: string) => boolean): SopsMap {
  return { kind: 'map', entries: document.entries.filter((entry) => !('key' in entry) || !isLeftOut(entry.key)) }
}

function notFound(): SluiceError {
  return new SluiceError('SOPS_DECRYPT', 'sops metadata not found', { hint: 'encrypt the file with "sops encrypt"' })
}
