import type { KubeClient } from '../../../adapters/kube/types.ts'
import type { Container, Pod } from './shapes.ts'
import type { FileData } from './volumes.ts'

/** ConfigMaps, Secrets and tokens of one pod, as they are now. */
export type Lookups = {
  readonly configMap: (name: string) => FileData | undefined
  readonly secret: (name: string) => FileData | undefined
  readonly token: (audience: string | undefined) => string | undefined
}

/** Reads everything that a pod names from the API server, once each. */
export async function lookUp(client: KubeClient, pod: Pod): Promise<Lookups> {
  const namespace = pod.metadata.namespace ?? 'default'
  const wanted = namesIn(pod)
  const read = async (kind: 'ConfigMap' | 'Secret', names: ReadonlySet<string>): Promise<Map<string, FileData>> => {
    const found = new Map<string, FileData>()
    for (const name of names) {
      const object = await client.get({ apiVersion: 'v1', kind, namespace, name })
      if (object === undefined) continue
      const text = kind === 'ConfigMap' ? decode(object['data'], 'utf8') : {}
      const bytes = decode(kind === 'ConfigMap' ? object['binaryData'] : object['data'], 'base64')
      found.set(name, { ...text, ...bytes })
    }
    return found
  }
  const [configMaps, secrets] = await Promise.all([
    read('ConfigMap', wanted.configMaps),
    read('Secret', wanted.secrets),
  ])
  const tokens = new Map<string, string>()
  for (const audience of wanted.audiences) {
    const token = await requestToken(client, pod, audience)
    if (token !== undefined) tokens.set(audience, token)
  }
  return {
    configMap: (name) => configMaps.get(name),
    secret: (name) => secrets.get(name),
    token: (audience) => tokens.get(audience ?? ''),
  }
}

/** File data as text, for variables. */
export function textOf(data: FileData | undefined): Readonly<Record<string, string>> | undefined {
  return data && Object.fromEntries(Object.entries(data).map(([key, bytes]) => [key, bytes.toString('utf8')]))
}

function namesIn({ spec }: Pod): { configMaps: Set<string>; secrets: Set<string>; audiences: Set<string> } {
  const configMaps = new Set<string>()
  const secrets = new Set<string>()
  const audiences = new Set<string>()
  const add = (set: Set<string>, name: string | undefined): void => void (name && set.add(name))
  const ofContainer = ({ env = [], envFrom = [] }: Container): void => {
    for (const { valueFrom } of env) {
      add(configMaps, valueFrom?.configMapKeyRef?.name)
      add(secrets, valueFrom?.secretKeyRef?.name)
    }
    for (const { configMapRef, secretRef } of envFrom) {
      add(configMaps, configMapRef?.name)
      add(secrets, secretRef?.name)
    }
  }
  for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) ofContainer(container)
  for (const volume of spec.volumes ?? []) {
    add(configMaps, volume.configMap?.name)
    add(secrets, volume.secret?.secretName)
    for (const source of volume.projected?.sources ?? []) {
      add(configMaps, source.configMap?.name)
      add(secrets, source.secret?.name)
      if (source.serviceAccountToken) audiences.add(source.serviceAccountToken.audience ?? '')
    }
  }
  return { configMaps, secrets, audiences }
}

async function requestToken(client: KubeClient, pod: Pod, audience: string): Promise<string | undefined> {
  const account = encodeURIComponent(pod.spec.serviceAccountName ?? 'default')
  const path = `/api/v1/namespaces/${encodeURIComponent(pod.metadata.namespace ?? 'default')}/serviceaccounts/${account}/token`
  const spec = { audiences: audience === '' ? [] : [audience], expirationSeconds: 3607 }
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
  const answer = await client.raw('POST', path, body).catch(() => undefined)
  if (answer === undefined || answer.status >= 300) return undefined
  const token: unknown = JSON.parse(answer.text)?.status?.token
  return typeof token === 'string' ? token : undefined
}

function decode(data: unknown, encoding: BufferEncoding): Record<string, Buffer> {
  if (typeof data !== 'object' || data === null) return {}
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value), encoding)]))
}
