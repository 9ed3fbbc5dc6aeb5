import { answerError } from '../../../kube/answer.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { readText } from '../../../../lib/kube/read.ts'
import { longestSince, type Moment, momentOf } from '../../../clock.ts'
import type { EngineContext } from '../../context.ts'

/**
 * A token of a service account of this cluster for these audiences.
 *
 * @throws SluiceError KUBE_CONFIG: the API server gives none
 */
export type AccountTokens = (namespace: string, account: string, audiences: readonly string[]) => Promise<string>

type Kept = { readonly token: Promise<string>; readonly asked: Moment }

const TOKEN_SECONDS = 3600

/** The part of a token's life after which a new one is asked for, as Kubernetes' own clients do. */
const RENEWED_AFTER = 0.8
const USED_MS = TOKEN_SECONDS * 1000 * RENEWED_AFTER

/** Tokens are used for most of their life: another one each time would make another cluster of the same one. An account that was made anew gets its own. */
export function openAccountTokens({ client, clock }: Pick<EngineContext, 'client' | 'clock'>): AccountTokens {
  const kept = new Map<string, Kept>()
  return async (namespace, account, audiences) => {
    const asked = momentOf(clock)
    for (const [key, one] of kept) if (longestSince(clock, one.asked) >= USED_MS) kept.delete(key)
    const found = await client.get({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: account })
    const key = JSON.stringify([namespace, account, found?.metadata.uid, audiences])
    const known = kept.get(key)
    if (known !== undefined) return known.token
    const token = requestToken(client, namespace, account, audiences)
    kept.set(key, { token, asked })
    token.catch(() => kept.delete(key))
    return token
  }
}

async function requestToken(
  client: EngineContext['client'],
  namespace: string,
  account: string,
  audiences: readonly string[],
): Promise<string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(account)}/token`
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences, expirationSeconds: TOKEN_SECONDS },
  }
  const { status, text } = await client.raw('POST', path, body)
  if (status >= 400)
    throw new SluiceError(
      'KUBE_CONFIG',
      `failed to create a token of service account '${namespace}/${account}': ${answerError({ status, body: Buffer.from(text) }).message}`,
      { retry: 'backoff', where: 'spec.kubeConfig' },
    )
  return readText(JSON.parse(text), 'status', 'token')
}
