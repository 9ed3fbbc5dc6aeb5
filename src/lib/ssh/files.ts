const OPENSSH_MAGIC = 'openssh-key-v1\0'

/** Why a text is no private key for SSH, which needs no connection to be found out; in the words of Go's library. */
export function identityFault(identity: string): string | undefined {
  const key = readPem(identity)
  if (key === undefined) return 'ssh: no key found'
  if (key.kind !== 'OPENSSH PRIVATE KEY' || key.bytes.startsWith(OPENSSH_MAGIC)) return undefined
  return 'ssh: invalid openssh private key format'
}

/** Whether a private key can be read with a passphrase alone. */
export function isLocked(identity: string): boolean {
  const key = readPem(identity)
  if (key === undefined) return false
  if (key.kind !== 'OPENSSH PRIVATE KEY') return /^Proc-Type:.*ENCRYPTED/m.test(key.body)
  // Behind the magic stands the cipher, with its length before it.
  const at = OPENSSH_MAGIC.length + 4
  return key.bytes.startsWith(OPENSSH_MAGIC) && key.bytes.slice(at, at + 4) !== 'none'
}

/** Why `known_hosts` cannot be read, in the words of Go's library. */
export function knownHostsFault(text: string): string | undefined {
  for (const line of text.split('\n')) {
    const words = line.trim().split(/[ \t]+/)
    if (words[0] === '' || words[0]?.startsWith('#')) continue
    if (words[0] === '@cert-authority' || words[0] === '@revoked') words.shift()
    const lacks = words.length < 2 ? 'host' : words.length < 3 ? 'key type' : undefined
    if (lacks !== undefined) return `knownhosts: knownhosts: missing ${lacks} pattern`
  }
  return undefined
}

function readPem(text: string): { readonly kind: string; readonly body: string; readonly bytes: string } | undefined {
  const start = /-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n/.exec(text)
  const kind = start?.[1]
  if (start === null || kind === undefined) return undefined
  const from = start.index + start[0].length
  const end = text.indexOf(`-----END ${kind}-----`, from)
  if (end < 0) return undefined
  const body = text.slice(from, end)
  return { kind, body, bytes: Buffer.from(body, 'base64').toString('latin1') }
}
