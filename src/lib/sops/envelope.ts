import { createDecipheriv } from 'node:crypto'
import { SluiceError } from '../error/sluice-error.ts'
import { leaf, type SopsComment, type SopsLeaf } from './tree.ts'

const ENVELOPE = /^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]/s
const TAG_BYTES = 16
const NUMBERS = {
  int: /^[+-]?\d+$/,
  float: /^[+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf|infinity|nan)$/i,
} as const

/**
 * Opens one encrypted value, `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`. An empty text is an empty text: SOPS leaves it as it is.
 *
 * @param place the keys that lead to the value, joined and ended by colons; it is authenticated, so that a value cannot be moved
 * @throws SluiceError SOPS_DECRYPT, without the value
 */
export function openEnvelope(text: string, dataKey: Uint8Array, place: string): SopsLeaf | SopsComment {
  if (text === '') return leaf('str', '')
  const [, data = '', iv = '', tag = '', type = ''] = ENVELOPE.exec(text) ?? []
  if (type === '') throw fault(place, "Input string <redacted> does not match sops' data format")
  const bytes = decrypt(Buffer.from(data, 'base64'), Buffer.from(iv, 'base64'), Buffer.from(tag, 'base64'))
  switch (type) {
    case 'str':
    case 'bytes':
      return { kind: 'leaf', type: 'str', bytes }
    case 'int':
    case 'float':
      // The type is not authenticated: a text that was called a number became NaN.
      if (!NUMBERS[type].test(bytes.toString('utf8'))) throw fault(place, `the value is no ${type}`)
      return { kind: 'leaf', type, bytes }
    case 'time':
      return { kind: 'leaf', type, bytes }
    case 'bool':
      return leaf('bool', /^(true|t|1)$/i.test(bytes.toString('utf8')) ? 'True' : 'False')
    case 'comment':
      return { kind: 'comment', text: bytes.toString('utf8') }
    default:
      throw fault(place, `Unknown datatype: ${type.slice(0, 40)}`)
  }

  function decrypt(sealed: Buffer, nonce: Buffer, authTag: Buffer): Buffer {
    if (authTag.length !== TAG_BYTES || nonce.length === 0 || dataKey.length !== 32)
      throw fault(place, 'Could not decrypt with AES_GCM: cipher: message authentication failed')
    try {
      const decipher = createDecipheriv('aes-256-gcm', dataKey, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(place))
      decipher.setAuthTag(authTag)
      return Buffer.concat([decipher.update(sealed), decipher.final()])
    } catch (cause) {
      throw fault(place, 'Could not decrypt with AES_GCM: cipher: message authentication failed', cause)
    }
  }
}

function fault(place: string, why: string, cause?: unknown): SluiceError {
  return new SluiceError(
    'SOPS_DECRYPT',
    `error decrypting sops tree: Error walking tree: Could not decrypt value: ${why}`,
    {
      where: place,
      hint: 'the value was edited or moved by hand; set it again with "sops edit"',
      cause,
    },
  )
}
