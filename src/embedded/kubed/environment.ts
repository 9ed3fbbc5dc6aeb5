import type { ServerResponse } from 'node:http'
import type { Issuer } from '../../lib/x509/certificate.ts'
import type { Claims } from '../../lib/jwt/verify.ts'
import type { JsonObject } from '../../lib/kube/json.ts'
import type { Route } from './request/route.ts'
import type { Registry } from './resources/registry.ts'
import type { Store } from './storage/store.ts'

/** What the rooms of the server share: the outside world comes in here. */
export type Environment = {
  readonly store: Store
  readonly registry: Registry
  readonly nowMs: () => number
  readonly random: (bytes: number) => Uint8Array
  readonly uuid: () => string
  readonly disabledPlugins: ReadonlySet<string>
  /** The options with which the server was started, under the names that kube-apiserver has for them. */
  readonly flags: Readonly<Record<string, string>>
  readonly caPem: string
  /** Signs the tokens of service accounts. */
  readonly signer: Signer
  /** Signs certificates. */
  readonly authority: Issuer
  /** How we show a kubelet who we are. */
  readonly kubeletTls: { readonly key: string; readonly cert: string }
  /** Counts what is asked. */
  readonly meter: Meter
  readonly log: (line: string) => void
}

/** Signs tokens with one key, and shows the public half. */
export type Signer = {
  readonly sign: (claims: JsonObject) => string
  /** What is inside of a token that this key signed. @throws SluiceError JWT_INVALID */
  readonly claimsOf: (token: string) => Claims
  /** As a key of a JWKS. */
  readonly publicKey: JsonObject
}

/** A request as it is counted: what its path names, and the verb by which it is authorised. */
export type Asked = {
  readonly method: string
  readonly found: Route
  readonly verb: string
  readonly query: URLSearchParams
  readonly contentType: string
}

/** Counts what the server is asked, for `/metrics`. */
export type Meter = {
  /** Follows a request to the end of its answer. */
  readonly follow: (asked: Asked, response: ServerResponse) => void
  /** What was counted so far, in the format of Prometheus. */
  readonly render: () => string
  /** Counts what a check of the server said when an endpoint asked it. */
  readonly judged: (endpoint: string, check: string, isGood: boolean) => void
  /** What the checks said so far, in the same format. */
  readonly renderChecks: () => string
}

/** RFC 3339 to the second, as metadata carries it. Each write asks several times, and most of them in the second of the last one. */
export function timestamp(nowMs: number): string {
  const second = Math.floor(nowMs / 1000)
  if (last?.second !== second) last = { second, text: `${new Date(nowMs).toISOString().slice(0, -5)}Z` }
  return last.text
}

let last: { readonly second: number; readonly text: string } | undefined
