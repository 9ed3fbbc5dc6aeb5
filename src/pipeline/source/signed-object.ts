/** A commit or tag, taken apart: what was signed, and the signature over it. */
export type SignedObject = {
  readonly payload: Buffer
  readonly signature: string
  /** As Flux names it; `empty` when there is none. */
  readonly type: 'openpgp' | 'ssh' | 'x509' | 'unknown' | 'empty'
}

const HEADER = /^gpgsig(?:-sha256)? /

/** Takes the `gpgsig` header out of a commit as it is stored; what is left is what was signed. */
export function splitCommit(bytes: Buffer): SignedObject {
  const text = bytes.toString('latin1')
  const end = text.indexOf('\n\n')
  const kept: string[] = []
  const signature: string[] = []
  let isSignature = false
  for (const line of (end < 0 ? text : text.slice(0, end)).split('\n')) {
    isSignature = line.startsWith(' ') ? isSignature : HEADER.test(line)
    if (!isSignature) kept.push(line)
    else if (line.startsWith(' ')) signature.push(line.slice(1))
    else if (line.startsWith('gpgsig ')) signature.push(line.slice('gpgsig '.length))
  }
  const payload = Buffer.from(`${kept.join('\n')}${end < 0 ? '' : text.slice(end)}`, 'latin1')
  return signedObject(payload, signature.join('\n'))
}

/** Cuts the signature off the end of an annotated tag as it is stored. */
export function splitTag(bytes: Buffer): SignedObject {
  const text = bytes.toString('latin1')
  const at = text.search(/^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----$/m)
  if (at < 0) return signedObject(bytes, '')
  return signedObject(bytes.subarray(0, at), text.slice(at))
}

function signedObject(payload: Buffer, text: string): SignedObject {
  const signature = text.trim()
  return { payload, signature: signature === '' ? '' : `${signature}\n`, type: typeOf(signature) }
}

function typeOf(signature: string): SignedObject['type'] {
  if (signature === '') return 'empty'
  if (signature.startsWith('-----BEGIN PGP SIGNATURE-----')) return 'openpgp'
  if (signature.startsWith('-----BEGIN SSH SIGNATURE-----')) return 'ssh'
  return signature.startsWith('-----BEGIN SIGNED MESSAGE-----') ? 'x509' : 'unknown'
}
