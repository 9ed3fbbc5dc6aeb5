import { createPrivateKey, generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto'
import type { Clock } from '../../../../adapters/clock.ts'
import type { KubeClient } from '../../../../adapters/kube/types.ts'
import type { KubeObject } from '../../../../lib/kube/object.ts'
import { read, readText } from '../../../../lib/kube/read.ts'
import { certificatePem, pemBlocks } from '../../../../lib/x509/pem.ts'
import { writeSigningRequest } from '../../../../lib/x509/write-request.ts'
import { type CertificateWish, uidOf, type Pod } from '../shapes.ts'

/** A private key and the certificates for it, as PEM. */
export type Credential = { readonly key: string; readonly chain: string }

/** Certificates of pods, asked for anew when their time comes. */
export type PodCertificates = {
  /** @param place of the projection in the pod: volume and number, for example `tls/0`; answers why there is none yet */
  readonly credentialFor: (
    pod: Pod,
    place: string,
    wish: CertificateWish,
  ) => Promise<Credential | { readonly missing: string }>
  /** Drops the keys of a pod that is gone. */
  readonly forget: (uid: string) => void
}

type Asked = { readonly name: string; readonly key: string }
type Kept = {
  readonly credential?: Credential
  readonly renewAtMs: number
  readonly asked?: Asked
  readonly refused?: string
}

const API = 'certificates.k8s.io/v1'
/** A signer answers within moments: so long a pod waits here before it is looked at again. */
const PATIENCE_MS = 5_000
const EVERY_MS = 200
/** As a kubelet does, so that not all pods ask at once. */
const JITTER_MS = 5 * 60_000

/**
 * Keeps the certificates of a node's pods: makes a key, asks for its certificate by a PodCertificateRequest, and waits for a signer. Keys are not kept
 * over a restart: then every certificate is asked for anew.
 *
 * @see k8s.io/kubernetes/pkg/kubelet/podcertificate
 */
export function keepCertificates(client: KubeClient, clock: Clock, chance: () => number): PodCertificates {
  const pods = new Map<string, Places>()
  const placesOf = (uid: string): Places => {
    const places = pods.get(uid) ?? { kept: new Map(), renewals: new Map() }
    pods.set(uid, places)
    return places
  }
  return {
    async credentialFor(pod, place, wish) {
      // whoever is forgotten meanwhile stays so: the answer goes into what is no longer kept
      const { kept, renewals } = placesOf(uidOf(pod))
      const renewal =
        renewals.get(place) ??
        renew({ client, clock, chance }, { pod, place, wish, kept }).finally(() => renewals.delete(place))
      renewals.set(place, renewal)
      const { refused, credential } = await renewal
      if (refused !== undefined) return { missing: refused }
      return credential ?? { missing: 'credential bundle is not issued yet' }
    },
    forget: (uid) => void pods.delete(uid),
  }
}

/** What a pod has by place, and which of it is being looked at: who asks meanwhile gets the same. */
type Places = { readonly kept: Map<string, Kept>; readonly renewals: Map<string, Promise<Kept>> }

type Renewal = {
  readonly pod: Pod
  readonly place: string
  readonly wish: CertificateWish
  readonly kept: Map<string, Kept>
}

type Tools = { readonly client: KubeClient; readonly clock: Clock; readonly chance: () => number }

async function renew(tools: Tools, { pod, place, wish, kept }: Renewal): Promise<Kept> {
  const before = kept.get(place) ?? { renewAtMs: 0 }
  if (before.refused !== undefined || tools.clock.nowMs() < before.renewAtMs) return before
  const asked = before.asked ?? (await ask(tools.client, pod, wish))
  const waiting: Kept = { ...before, asked }
  // kept before the first look: when that fails, the next one looks for the same answer
  kept.set(place, waiting)
  const now = await answered(tools, { pod, waiting, asked })
  kept.set(place, now)
  return now
}

/** What came of a request; `waiting` while nothing has. */
async function answered(
  { client, clock, chance }: Tools,
  { pod, waiting, asked }: { readonly pod: Pod; readonly waiting: Kept; readonly asked: Asked },
): Promise<Kept> {
  const { namespace = '' } = pod.metadata
  // who has a certificate that still holds waits for nobody
  const untilMs = clock.monotonicMs() + (waiting.credential === undefined ? PATIENCE_MS : 0)
  for (;;) {
    const request = await client.get({ apiVersion: API, kind: 'PodCertificateRequest', namespace, name: asked.name })
    if (request === undefined) return { ...waiting, asked: undefined }
    const answer = answerOf(request, asked)
    if (answer !== undefined) return { ...answer, renewAtMs: answer.renewAtMs + chance() * JITTER_MS }
    if (clock.monotonicMs() >= untilMs) return waiting
    await new Promise<void>((resolve) => clock.after(EVERY_MS, resolve))
  }
}

/** What a signer has said; undefined while it is silent. */
function answerOf(request: KubeObject, { key }: Asked): Kept | undefined {
  const conditions = read(request, 'status', 'conditions')
  for (const condition of Array.isArray(conditions) ? conditions : []) {
    const [type, reason, message] = ['type', 'reason', 'message'].map((field) => String(Object(condition)[field] ?? ''))
    if (type === 'Issued') return issuedOf(request, key)
    const words = { Denied: 'denied', Failed: 'failed' }[type ?? '']
    if (words !== undefined)
      return {
        refused: `PodCertificateRequest was permanently ${words}: reason="${reason}" message="${message}"`,
        renewAtMs: 0,
      }
  }
  return undefined
}

/** What a signer has issued, if it is of use: a certificate of another key, or dates that are none, are as good as a refusal. */
function issuedOf(request: KubeObject, key: string): Kept {
  const chain = pemBlocks(readText(request, 'status', 'certificateChain')).map(({ base64 }) => certificatePem(base64))
  const renewAtMs = Date.parse(readText(request, 'status', 'beginRefreshAt'))
  const unusable = (why: string): Kept => ({
    refused: `PodCertificateRequest "${request.metadata.name}" was issued ${why}`,
    renewAtMs: 0,
  })
  if (Number.isNaN(renewAtMs)) return unusable('without a time at which to renew the certificate')
  if (!isOfKey(chain[0] ?? '', key)) return unusable('with a certificate that is not of the requested key')
  return { credential: { key, chain: chain.join('') }, renewAtMs }
}

function isOfKey(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

async function ask(client: KubeClient, pod: Pod, wish: CertificateWish): Promise<Asked> {
  const { namespace = 'default', name } = pod.metadata
  const { serviceAccountName = 'default', nodeName = '' } = pod.spec
  const uidIn = async (kind: string, of: { readonly namespace: string; readonly name: string }): Promise<string> =>
    (await client.get({ apiVersion: 'v1', kind, ...of }))?.metadata.uid ?? ''
  const key = await makeKey(wish.keyType)
  const { signerName, maxExpirationSeconds, userAnnotations } = wish
  const request = await client.create(
    {
      apiVersion: API,
      kind: 'PodCertificateRequest',
      metadata: {
        name: '',
        generateName: 'req-',
        namespace,
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid: uidOf(pod) }],
      },
      spec: {
        signerName,
        podName: name,
        podUID: uidOf(pod),
        serviceAccountName,
        serviceAccountUID: await uidIn('ServiceAccount', { namespace, name: serviceAccountName }),
        nodeName,
        nodeUID: await uidIn('Node', { namespace: '', name: nodeName }),
        ...(maxExpirationSeconds !== undefined && { maxExpirationSeconds }),
        stubPKCS10Request: writeSigningRequest(key).toString('base64'),
        ...(userAnnotations && { unverifiedUserAnnotations: userAnnotations }),
      },
    },
    { fieldManager: 'kubelet' },
  )
  return { name: request.metadata.name, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

/** A key of a type as pods name it. @throws Error for a type that does not exist: the API server has checked it */
function makeKey(type: string): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, _publicKey: KeyObject, privateKey: KeyObject): void =>
      error === null ? resolve(privateKey) : reject(error)
    const [, bits] = /^RSA(\d+)$/.exec(type) ?? []
    const [, curve] = /^ECDSAP(\d+)$/.exec(type) ?? []
    if (bits !== undefined) return generateKeyPair('rsa', { modulusLength: Number(bits) }, done)
    if (curve !== undefined) return generateKeyPair('ec', { namedCurve: `P-${curve}` }, done)
    if (type === 'ED25519') return generateKeyPair('ed25519', {}, done)
    reject(new Error(`unknown key type "${type}"`))
  })
}
