import type { OidcProvider } from '../../kinds/receiver.ts'
import { compileCel } from '../../lib/cel/compile.ts'
import { SluiceError } from '../../lib/error/sluice-error.ts'
import { readText } from '../../lib/kube/read.ts'
import { type Claims, verifyJwt } from '../../lib/jwt/verify.ts'
import { unwrapPubSub } from './proof.ts'
import { headerOf, type HookCall, type Proof, refused } from './request.ts'

/** Google's two spellings of itself. */
const GOOGLE = ['https://accounts.google.com', 'accounts.google.com']

/** What a token is checked with. */
export type TokenTools = {
  /** The issuer's public keys. */
  readonly keys: readonly unknown[]
  readonly nowMs: number
  readonly guard?: (run: () => unknown) => unknown
}

/** The token of `Authorization: Bearer …`; '' when there is none. */
export function bearerOf(call: HookCall): string {
  return /^Bearer (.*)$/.exec(headerOf(call, 'authorization'))?.[1]?.trim() ?? ''
}

/**
 * Google's registry pushes through Pub/Sub with a token of the subscription's account. A valid token of another account is worth nothing
 * (CVE-2026-40109): account and audience must be those of the Secret.
 */
export function checkGoogleToken(
  call: HookCall,
  secret: { readonly email: string; readonly audience: string },
  { keys, nowMs }: TokenTools,
): Proof {
  if (secret.email === '') return refused("invalid secret data: required field 'email' for GCR receiver")
  if (secret.audience === '') return refused("invalid secret data: required field 'audience' for GCR receiver")
  return caught(() => {
    const claims = verifyJwt(bearerOf(call), { keys, issuers: GOOGLE, audience: secret.audience, nowMs })
    const email = readText(claims, 'email')
    if (email !== secret.email) return refused(`token email is '${email}', want '${secret.email}'`)
    if (claims['email_verified'] !== true) return refused(`token email '${email}' is not verified`)
    return unwrapPubSub(call.body)
  })
}

/** A token of one of the listed issuers whose claims pass the validations. */
export function checkOidcToken(call: HookCall, provider: OidcProvider, { keys, nowMs, guard }: TokenTools): Proof {
  return caught(() => {
    const { issuerUrl, audience } = provider
    const claims = verifyJwt(bearerOf(call), { keys, issuers: [issuerUrl], audience, nowMs })
    const fault = claimsFault(provider, claims, guard)
    return fault === undefined ? { isGood: true, claims } : refused(fault)
  })
}

/**
 * What the validations of a provider find wrong with claims, all of it; undefined when nothing is.
 *
 * @throws SluiceError CEL_INVALID, CEL_FAILED
 */
export function claimsFault(
  { variables, validations }: OidcProvider,
  claims: Claims,
  guard: (run: () => unknown) => unknown = (run) => run(),
): string | undefined {
  const options = { variables: ['claims', 'vars'], guard }
  const vars: Record<string, unknown> = {}
  for (const { name, expression } of variables) vars[name] = compileCel(expression, options).evaluate({ claims, vars })
  const failures = validations
    .filter(
      ({ expression }) => !compileCel(expression, { ...options, output: 'bool' }).evaluateBoolean({ claims, vars }),
    )
    .map(({ message }) => message)
  return failures.length === 0 ? undefined : `token validation failed: ${failures.join('; ')}`
}

function caught(check: () => Proof): Proof {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return refused(error.message)
  }
}
