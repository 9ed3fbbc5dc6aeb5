import type { IncomingMessage } from 'node:http'
import type { Repository } from '../../lib/oci/reference.ts'
import type { Descriptor } from '../../lib/oci/types.ts'
import type { HttpProxy } from '../net/http-proxy.ts'
import type { TlsTrust } from '../net/tls-trust.ts'
import { endpointOf } from './endpoint.ts'
import { expectStatus, nameOf } from './expect-status.ts'
import { discard, makeTransport } from './http.ts'
import { getManifest, headManifest, putManifest, type StoredManifest } from './manifests.ts'
import { pushBlob, type BlobSource } from './push-blob.ts'
import { openSession, type Ask, type Credentials, type Session } from './session.ts'
import { listReferrers } from './referrers.ts'
import { listTags } from './tags.ts'

/** How a registry client reaches its registries. */
export type RegistryClientOptions = {
  /** Hosts of image names that stand for others: `registry.sluice.local` -> `127.0.0.1:5000`. */
  readonly aliases?: Readonly<Record<string, string>>
  /** The user for a host as image names write it; undefined for anonymous. */
  readonly credentials?: (host: string) => Credentials | undefined
  /** Hosts that speak plain HTTP although they are not on loopback. */
  readonly plainHttp?: readonly string[]
  /** Private networks may be plain where nobody speaks TLS, as for Flux's library; never with a login, an authority or a certificate. */
  readonly guessesPlain?: boolean
  /** More certificate authorities, and our own certificate. */
  readonly trust?: TlsTrust
  readonly proxy?: HttpProxy
  /** How long the other side may stand still; 30,000 by default. */
  readonly timeoutMs?: number
}

type Options = { readonly signal?: AbortSignal }

/**
 * A client for any OCI registry. Repositories are given as `{host, repository}` (`parseReference`, `parseRepository`).
 *
 * Every call throws SluiceError REGISTRY_UNREACHABLE, REGISTRY_DENIED, REGISTRY_REFUSED, REGISTRY_LIMIT or REGISTRY_FORBIDDEN_ADDRESS;
 * a thing that is not there is an `undefined`, except where said.
 */
export type RegistryClient = {
  /** Every tag, sorted by code unit, without duplicates; undefined when the repository is unknown. */
  readonly listTags: (of: Repository, options?: Options) => Promise<string[] | undefined>
  /** Digest, size and media type of a tag or digest. */
  readonly headManifest: (of: Repository, version: string, options?: Options) => Promise<Descriptor | undefined>
  /** A manifest by tag or digest, its digest checked (DIGEST_MISMATCH). */
  readonly getManifest: (of: Repository, version: string, options?: Options) => Promise<StoredManifest | undefined>
  /** Puts a manifest under a tag or its digest; answers the digest. */
  readonly putManifest: (
    of: Repository,
    version: string,
    manifest: { readonly bytes: Uint8Array; readonly mediaType: string },
    options?: Options,
  ) => Promise<string>
  /** What is attached to a manifest (signatures and the like), asked of the referrers API or its fallback tag. */
  readonly listReferrers: (of: Repository, digest: string, options?: Options) => Promise<readonly Descriptor[]>
  /** The bytes of a blob, unchecked: the reader hashes them (`ingestBlob` does). */
  readonly openBlob: (of: Repository, digest: string, options?: Options) => Promise<IncomingMessage | undefined>
  /** Sends a blob unless the registry has it; tries a mount from `source.mountFrom` first. */
  readonly pushBlob: (
    of: Repository,
    source: BlobSource,
    options?: Options,
  ) => Promise<'present' | 'mounted' | 'pushed'>
  /** What a registry was found to speak; undefined as long as it was not asked. */
  readonly schemeOf: (host: string) => 'http' | 'https' | undefined
  readonly close: () => void
}

/** Makes a client; nothing is sent before the first call. One client serves any number of hosts and calls at once. */
export function createRegistryClient(o: RegistryClientOptions = {}): RegistryClient {
  const transport = makeTransport({ timeoutMs: o.timeoutMs ?? 30_000, trust: o.trust, proxy: o.proxy })
  const guessesPlain = o.guessesPlain === true && o.trust?.caPem === undefined && o.trust?.certPem === undefined
  const sessions = new Map<string, Session>()
  const sessionOf = (host: string): Session => {
    const known = sessions.get(host)
    if (known) return known
    const endpoint = endpointOf(host, o.aliases ?? {}, o.plainHttp, guessesPlain)
    const session = openSession(endpoint, transport, () => o.credentials?.(host))
    sessions.set(host, session)
    return session
  }
  return {
    listTags: (of, options) => listTags(sessionOf(of.host), of, options?.signal),
    headManifest: (of, version, options) => headManifest(sessionOf(of.host), of, version, options?.signal),
    getManifest: (of, version, options) => getManifest(sessionOf(of.host), of, version, options?.signal),
    putManifest: (of, version, manifest, options) =>
      putManifest(sessionOf(of.host), of, version, manifest, options?.signal),
    listReferrers: (of, digest, options) => listReferrers(sessionOf(of.host), of, digest, options?.signal),
    async openBlob(of, digest, options) {
      const answer = await sessionOf(of.host).ask(blobAsk(of, digest, options?.signal))
      if (answer.statusCode === 404) {
        discard(answer)
        return undefined
      }
      await expectStatus(answer, [200], `blob ${nameOf(of)}@${digest}`)
      return answer
    },
    pushBlob: (of, source, options) => pushBlob(sessionOf(of.host), of, source, options?.signal),
    schemeOf(host) {
      const { base, plain } = sessions.get(host)?.endpoint ?? {}
      if (base === undefined || plain !== undefined) return undefined
      return base.protocol === 'https:' ? 'https' : 'http'
    },
    close: () => transport.close(),
  }
}

function blobAsk(of: Repository, digest: string, signal: AbortSignal | undefined): Ask {
  const scope = `repository:${of.repository}:pull`
  return { method: 'GET', path: `${of.repository}/blobs/${digest}`, scope, signal }
}
