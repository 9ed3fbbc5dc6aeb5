import { type Clock, longestSince, type Moment, momentOf } from '../../../../adapters/clock.ts'
import type { KubeClient } from '../../../../adapters/kube/types.ts'
import { uidOf, type Pod } from '../shapes.ts'

/** What a projected volume asks of a token. */
export type TokenWish = { readonly audience: string; readonly expirationSeconds: number }

/** Tokens of pods' service accounts, asked for anew only when most of their time is over. */
export type Tokens = {
  /** Undefined where the API server gives none. */
  readonly tokenFor: (pod: Pod, wish: TokenWish) => Promise<string | undefined>
  /** Drops the tokens of a pod that is gone. */
  readonly forget: (uid: string) => void
}

type Kept = {
  readonly token: string
  readonly asked: Moment
  /** How long after it was asked for another one is, and how long it holds. */
  readonly refreshAfterMs: number
  readonly endsAfterMs: number
}

/** As a kubelet does: at four fifths of its time, and never later than after a day. */
const SHARE = 0.8
const LONGEST_MS = 24 * 3600 * 1000

/** Keeps the tokens of a node's pods. */
export function keepTokens(client: KubeClient, clock: Clock): Tokens {
  const pods = new Map<string, Map<string, Kept>>()
  const keptOf = (uid: string): Map<string, Kept> => {
    const kept = pods.get(uid) ?? new Map<string, Kept>()
    pods.set(uid, kept)
    return kept
  }
  return {
    async tokenFor(pod, wish) {
      const kept = keptOf(uidOf(pod))
      const key = `${wish.expirationSeconds}/${wish.audience}`
      const known = kept.get(key)
      const asked = momentOf(clock)
      const isWithin = (afterMs: 'refreshAfterMs' | 'endsAfterMs'): boolean =>
        known !== undefined && longestSince(clock, known.asked) < known[afterMs]
      if (isWithin('refreshAfterMs')) return known?.token
      const fresh = await requestToken(client, pod, wish, asked)
      // a token that still holds is better than none
      if (fresh === undefined) return isWithin('endsAfterMs') ? known?.token : undefined
      kept.set(key, fresh)
      return fresh.token
    },
    forget: (uid) => void pods.delete(uid),
  }
}

async function requestToken(
  client: KubeClient,
  pod: Pod,
  { audience, expirationSeconds }: TokenWish,
  asked: Moment,
): Promise<Kept | undefined> {
  const { namespace = 'default', name } = pod.metadata
  const account = encodeURIComponent(pod.spec.serviceAccountName ?? 'default')
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${account}/token`
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid: uidOf(pod) }
  const spec = { audiences: audience === '' ? [] : [audience], expirationSeconds, boundObjectRef }
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
  const answer = await client.raw('POST', path, body).catch(() => undefined)
  if (answer === undefined || answer.status >= 300) return undefined
  const { token, expirationTimestamp } = JSON.parse(answer.text)?.status ?? {}
  const endsAfterMs = Date.parse(String(expirationTimestamp)) - asked.toldMs
  if (typeof token !== 'string' || Number.isNaN(endsAfterMs)) return undefined
  return { token, asked, refreshAfterMs: Math.min(endsAfterMs * SHARE, LONGEST_MS), endsAfterMs }
}
