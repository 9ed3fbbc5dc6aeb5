import type { Verified } from '../../../controllers/source.ts'
import type { GitRepository } from '../../../kinds/git-repository.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { parseAuthorizedKeys, verifySshSignature } from '../../../lib/ssh-signature/verify.ts'
import { splitCommit, splitTag, type SignedObject } from '../../../pipeline/source/signed-object.ts'
import type { SelectedRef } from '../../../pipeline/source/select-ref.ts'
import type { Mirror } from '../../git/mirror.ts'
import { verifyPgp } from '../../git/pgp.ts'
import { isRefusal } from '../../kube/api-error.ts'
import type { KubeClient } from '../../kube/types.ts'
import { failLook, stallLook } from '../source/look-failure.ts'
import { readSecret } from '../secrets.ts'

/** What a Secret lets pass: OpenPGP key rings, and lines of SSH keys (`*.sshpub`). */
type Keys = { readonly rings: readonly string[]; readonly authorized: readonly string[] }

/**
 * Checks the signatures that `spec.verify` asks for, in Flux's words.
 *
 * @throws LookFailure InvalidCommitSignature, InvalidTagSignature, InvalidGitObject, VerificationError; InvalidVerificationMode stalls
 */
export async function verifySource(
  client: KubeClient,
  { verify: wish, namespace }: GitRepository,
  selected: SelectedRef,
  mirror: Mirror,
): Promise<Verified | undefined> {
  if (!wish) return undefined
  const keys = await readKeys(client, namespace, wish.secretName)
  const lines: string[] = []
  if (wish.mode !== 'HEAD') lines.push(await verifyTag(mirror, selected, keys))
  if (wish.mode !== 'Tag') lines.push(await verifyCommit(mirror, selected.commit, keys))
  return { mode: wish.mode, message: `verified signature of${lines.map((line) => `\n\t- ${line}`).join('')}` }
}

async function readKeys(client: KubeClient, namespace: string, name: string): Promise<Keys> {
  try {
    const entries = Object.entries(await readSecret(client, namespace, name))
    const texts = (isSsh: boolean): readonly string[] =>
      entries.filter(([key]) => key.endsWith('.sshpub') === isSsh).map(([, value]) => value.toString('utf8'))
    return { rings: texts(false), authorized: texts(true) }
  } catch (error) {
    if (!(error instanceof SluiceError) && !isRefusal(error)) throw error
    throw failLook('SourceVerified', 'VerificationError', `public keys secret error: ${error.message}`)
  }
}

async function verifyTag(mirror: Mirror, { tag }: SelectedRef, keys: Keys): Promise<string> {
  if (!tag)
    throw stallLook(
      'SourceVerified',
      'InvalidVerificationMode',
      "cannot verify tag object's signature if a tag reference is not specified",
    )
  const shown = tag.hash === undefined ? tag.name : `${tag.name}@${tag.hash}`
  const object = tag.hash === undefined ? undefined : await mirror.object(tag.hash)
  const signed = object?.type === 'tag' ? splitTag(object.bytes) : undefined
  if (!signed || signed.signature === '')
    throw failLook(
      'SourceVerified',
      'InvalidGitObject',
      `cannot verify signature of tag '${shown}' since it is not signed`,
    )
  const verdict = await verifyObject('tag', signed, keys)
  if ('why' in verdict)
    throw failLook(
      'SourceVerified',
      'InvalidTagSignature',
      `signature verification of tag '${shown}' failed: ${verdict.why}`,
    )
  return `tag '${shown}' with key '${verdict.key}'`
}

async function verifyCommit(mirror: Mirror, commit: string, keys: Keys): Promise<string> {
  const object = await mirror.object(commit)
  const signed = splitCommit(object?.bytes ?? Buffer.alloc(0))
  const verdict = await verifyObject('commit', signed, keys)
  if ('why' in verdict)
    throw failLook(
      'SourceVerified',
      'InvalidCommitSignature',
      `signature verification of commit '${commit}' failed: ${verdict.why}`,
    )
  return `commit '${commit}' with key '${verdict.key}'`
}

type Verdict = { readonly key: string } | { readonly why: string }

async function verifyObject(what: 'commit' | 'tag', signed: SignedObject, keys: Keys): Promise<Verdict> {
  switch (signed.type) {
    case 'openpgp':
      if (keys.rings.length === 0)
        return { why: 'PGP signature detected but no PGP public keys found in secret (keys with .asc suffix)' }
      return verifyByPgp(what, signed, keys.rings)
    case 'ssh':
      if (keys.authorized.length === 0)
        return { why: 'SSH signature detected but no SSH public keys found in secret (keys with .sshpub suffix)' }
      return verifyBySsh(what, signed, keys.authorized)
    default:
      return { why: `unsupported signature type: ${signed.type}` }
  }
}

async function verifyByPgp(
  what: string,
  { signature, payload }: SignedObject,
  rings: readonly string[],
): Promise<Verdict> {
  const failed = (why: string): Verdict => ({ why: `unable to verify Git ${what}: ${why}` })
  const verdict = await verifyPgp(signature, payload, rings)
  if (verdict.kind === 'good') return { key: verdict.keyId }
  return verdict.kind === 'no key ring'
    ? failed('unable to read armored key ring: openpgp: invalid argument: no armored data found')
    : failed('unable to verify payload with any of the given key rings: no matching key')
}

function verifyBySsh(what: string, { signature, payload }: SignedObject, texts: readonly string[]): Verdict {
  const failed = (why: string): Verdict => ({ why: `unable to verify Git ${what} SSH signature: ${why}` })
  const lists = texts.map(parseAuthorizedKeys).filter((keys) => keys !== undefined)
  if (lists.length === 0)
    return failed('unable to parse authorized keys: unable to parse authorized key: ssh: no key found')
  const reasons = new Set<string>()
  for (const key of lists.flat()) {
    const verdict = verifySshSignature(signature, payload, key, 'git')
    if (verdict.kind === 'good') return { key: verdict.fingerprint }
    reasons.add(verdict.why)
  }
  const joined = ['no matching key', ...reasons].join('\n')
  return failed(`unable to verify payload with any of the given authorized keys: ${joined}`)
}
