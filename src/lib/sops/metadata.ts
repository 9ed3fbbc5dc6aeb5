import { SluiceError } from '../error/sluice-error.ts'
import { compileRegexp } from '../go-regexp/go-regexp.ts'
import { fieldOf, itemsOf, textOf, type SopsMap, type SopsNode } from './tree.ts'

/** Which key service holds a master key. */
export type MasterKeyType = 'age' | 'pgp' | 'kms' | 'gcp_kms' | 'hckms' | 'azure_kv' | 'hc_vault'

/** A master key, and the (part of the) data key that it encrypts. */
export type MasterKey = { readonly type: MasterKeyType; readonly name: string; readonly enc: string }

/** What a file says of its own encryption. */
export type SopsMetadata = {
  readonly groups: readonly (readonly MasterKey[])[]
  /** How many groups must give their part; 0 with a single group. */
  readonly threshold: number
  /** RFC 3339; it authenticates the MAC. */
  readonly lastModified: string
  readonly mac: string
  readonly isMacOfEncryptedOnly: boolean
  /** Whether a value is encrypted, by the keys that lead to it and the comments above it. */
  readonly isEncrypted: (path: readonly string[], comments: readonly (readonly string[])[]) => boolean
  /** Comments decide: a format that drops them cannot be decrypted. */
  readonly needsComments: boolean
}

const RULES = [
  'unencrypted_suffix',
  'encrypted_suffix',
  'unencrypted_regex',
  'encrypted_regex',
  'unencrypted_comment_regex',
  'encrypted_comment_regex',
] as const

type Rule = (typeof RULES)[number]

/** In the order in which SOPS tries them: those at hand before those far away. */
const KEY_TYPES: readonly MasterKeyType[] = ['age', 'pgp', 'kms', 'gcp_kms', 'hckms', 'azure_kv', 'hc_vault']

/** The field that names a master key of a type. */
const NAMES: Readonly<Record<MasterKeyType, readonly string[]>> = {
  age: ['recipient'],
  pgp: ['fp'],
  kms: ['arn'],
  gcp_kms: ['resource_id'],
  hckms: ['key_id'],
  azure_kv: ['vault_url', 'name', 'version'],
  hc_vault: ['vault_address', 'engine_path', 'key_name'],
}

/** Reads the `sops` part of a file. @throws SluiceError SOPS_DECRYPT when it cannot be one */
export function parseMetadata(metadata: SopsMap): SopsMetadata {
  const rules = RULES.filter((rule) => textOf(fieldOf(metadata, rule)) !== '')
  if (rules.length > 1) throw fault(`only one of ${RULES.join(', ')} may be used in a file`)
  const [rule = 'unencrypted_suffix'] = rules
  const pattern = textOf(fieldOf(metadata, rule)) || '_unencrypted'
  const lastModified = textOf(fieldOf(metadata, 'lastmodified'))
  if (Number.isNaN(Date.parse(lastModified))) throw fault(`lastmodified "${lastModified}" is not a time`)
  const own = keysOf(metadata)
  const groups = own.length > 0 ? [own] : itemsOf(metadata, 'key_groups').map(keysOf)
  if (groups.length === 0) throw fault('No keys found in file')
  return {
    groups,
    threshold: Number(textOf(fieldOf(metadata, 'shamir_threshold'))) || 0,
    lastModified,
    mac: textOf(fieldOf(metadata, 'mac')),
    isMacOfEncryptedOnly: /^true$/i.test(textOf(fieldOf(metadata, 'mac_only_encrypted'))),
    isEncrypted: encryptionRule(rule, pattern),
    needsComments: rule.endsWith('comment_regex'),
  }
}

function keysOf(group: SopsNode): readonly MasterKey[] {
  return KEY_TYPES.flatMap((type) =>
    itemsOf(group, type).map((entry) => ({
      type,
      name: NAMES[type].map((field) => textOf(fieldOf(entry, field))).join('/'),
      enc: textOf(fieldOf(entry, 'enc')),
    })),
  )
}

function encryptionRule(rule: Rule, pattern: string): SopsMetadata['isEncrypted'] {
  const matches = rule.endsWith('suffix') ? (text: string) => text.endsWith(pattern) : matcher(pattern)
  switch (rule) {
    case 'unencrypted_suffix':
    case 'unencrypted_regex':
      return (path) => !path.some(matches)
    case 'encrypted_suffix':
    case 'encrypted_regex':
      return (path) => path.some(matches)
    case 'unencrypted_comment_regex':
      return (_path, comments) => !comments.some((block) => block.some(matches))
    case 'encrypted_comment_regex':
      return (_path, comments) => comments.some((block) => block.some(matches))
  }
}

function matcher(pattern: string): (text: string) => boolean {
  return compileRegexp(pattern).test
}

function fault(why: string): SluiceError {
  return new SluiceError('SOPS_DECRYPT', why, { where: 'sops' })
}
