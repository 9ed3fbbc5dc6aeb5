import type { KubeObject } from '../../../lib/kube/object.ts'
import { parseReceiver, type Receiver, type ReceiverResource } from '../../../kinds/receiver.ts'
import { isReady } from '../../../kinds/flux-object.ts'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import { unverifiedIssuer } from '../../../lib/jwt/verify.ts'
import { checkProof } from '../../../pipeline/receiver/proof.ts'
import { type HookCall, type Proof, refused } from '../../../pipeline/receiver/request.ts'
import { type ResourceFilter, resourceFilters } from '../../../pipeline/receiver/resource-filter.ts'
import { bearerOf, checkGoogleToken, checkOidcToken } from '../../../pipeline/receiver/token-proof.ts'
import { boundedExpression } from '../bounded-expression.ts'
import { readSecret } from '../secrets.ts'
import { type AskTools, askAll } from './ask.ts'

/** What the answer to a hook needs. */
export type HookTools = AskTools & {
  /** Receivers as they are now. */
  readonly receivers: () => readonly KubeObject[]
  /** Public keys of an issuer of tokens; `google` for Google's own. */
  readonly signingKeys: (issuer: string) => Promise<readonly unknown[]>
  readonly log: (line: string) => void
}

/** The Receiver of a path; undefined: nobody listens there. */
export function findReceiver(tools: HookTools, path: string): Receiver | undefined {
  return tools
    .receivers()
    .map(parseReceiver)
    .find(({ webhookPath }) => webhookPath !== '' && webhookPath === path)
}

/**
 * Answers a hook with Flux's status: 200 done, 400 not proved, 500 a resource could not be asked, 503 suspended or not ready.
 */
export async function handleHook(tools: HookTools, receiver: Receiver, call: HookCall): Promise<number> {
  const name = `Receiver/${receiver.namespace}/${receiver.name}`
  if (receiver.isSuspended || !isReady(receiver)) return 503
  const proof = await prove(tools, receiver, call)
  if (!proof.isGood) {
    tools.log(`${name}: hook refused: ${proof.reason}`)
    return 400
  }
  const input = { call: proof.body ? { ...call, body: proof.body } : call, guard: boundedExpression }
  try {
    const filters = resourceFilters(receiver, proof.claims ? { ...input, claims: proof.claims } : input)
    const wishes = receiver.resources.map((resource, at): [ReceiverResource, ResourceFilter | undefined] => [
      resource,
      filters[at],
    ])
    const faults = await askAll(tools, receiver, wishes)
    for (const fault of faults) tools.log(`${name}: unable to request reconciliation: ${fault}`)
    return faults.length === 0 ? 200 : 500
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    tools.log(`${name}: ${describeError(error)}`)
    return 500
  }
}

async function prove(tools: HookTools, receiver: Receiver, call: HookCall): Promise<Proof> {
  const { namespace, secretName, type } = receiver
  try {
    if (type === 'generic-oidc') return await proveByOidc(tools, receiver, call)
    if (secretName === undefined) return refused('secretRef is required')
    const data = await readSecret(tools.client, namespace, secretName)
    const text = (key: string): string => data[key]?.toString('utf8') ?? ''
    if (data['token'] === undefined)
      return refused(`invalid "${namespace}/${secretName}" secret data: required field 'token'`)
    if (type !== 'gcr') return checkProof(receiver, call, text('token'))
    const secret = { email: text('email'), audience: text('audience') }
    if (bearerOf(call) === '' || secret.email === '' || secret.audience === '')
      return checkGoogleToken(call, secret, { keys: [], nowMs: tools.clock.nowMs() })
    const keys = await tools.signingKeys('google')
    return checkGoogleToken(call, secret, { keys, nowMs: tools.clock.nowMs() })
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    return refused(error.message)
  }
}

async function proveByOidc(tools: HookTools, receiver: Receiver, call: HookCall): Promise<Proof> {
  const issuer = unverifiedIssuer(bearerOf(call))
  const provider = receiver.oidcProviders.find(({ issuerUrl }) => issuerUrl === issuer)
  if (!provider) return refused(`no oidcProvider configured for issuer "${issuer}"`)
  const keys = await tools.signingKeys(issuer)
  return checkOidcToken(call, provider, { keys, nowMs: tools.clock.nowMs(), guard: boundedExpression })
}
