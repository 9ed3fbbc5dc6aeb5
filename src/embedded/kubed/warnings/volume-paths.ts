import { isObject, type Json, type JsonObject, objectOf, objectsOf, stringOf } from '../../../lib/kube/json.ts'
import { trimEndOf } from '../../../lib/value/trim-end.ts'

type Placed = { readonly path: string; readonly source: string }

/** Files of one volume that lie on, or below, each other. @see k8s.io/kubernetes/pkg/api/pod/warnings.go warningsForOverlappingVirtualPaths */
export function warningsOfPaths(volume: JsonObject): string[] {
  const { configMap, secret, downwardAPI, projected } = volume
  const told = (kind: string, items: Json | undefined): string[] =>
    overlaps(pathsOf(items, '')).map((text) => sentence(volume, kind, text))
  return [
    ...told(`ConfigMap ${quoted(objectOf(configMap).name)}`, objectOf(configMap).items),
    ...told(`Secret ${quoted(objectOf(secret).secretName)}`, objectOf(secret).items),
    ...told('DownwardAPI', objectOf(downwardAPI).items),
    ...objectsOf(objectOf(projected).sources)
      .filter((source) => Object.keys(source).length === 0)
      .map(() => `volume ${quoted(volume.name)} (Projected) has no sources provided`),
    ...overlaps(objectsOf(objectOf(projected).sources).flatMap(projectedPaths)).map((text) =>
      sentence(volume, 'Projected', text),
    ),
  ]
}

const sentence = ({ name }: JsonObject, kind: string, text: string): string =>
  `volume ${quoted(name)} (${kind}): overlapping paths: ${text}`

const quoted = (value: Json | undefined): string => JSON.stringify(stringOf(value))

const pathsOf = (items: Json | undefined, source: string): Placed[] =>
  objectsOf(items).map(({ path }) => ({ path: stringOf(path), source }))

function projectedPaths(source: JsonObject): Placed[] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source
  if (isObject(configMap) && configMap.items !== undefined)
    return pathsOf(configMap.items, `ConfigMap ${quoted(configMap.name)}`)
  if (isObject(secret) && secret.items !== undefined) return pathsOf(secret.items, `Secret ${quoted(secret.name)}`)
  if (isObject(downwardAPI) && downwardAPI.items !== undefined) return pathsOf(downwardAPI.items, 'DownwardAPI')
  if (isObject(serviceAccountToken))
    return [{ path: stringOf(serviceAccountToken.path), source: 'ServiceAccountToken' }]
  if (isObject(clusterTrustBundle)) {
    const { name, signerName, path } = clusterTrustBundle
    return [{ path: stringOf(path), source: `ClusterTrustBundle ${quoted(name ?? signerName)}` }]
  }
  const { certificateChainPath, keyPath, credentialBundlePath } = objectOf(podCertificate)
  return [
    { path: stringOf(certificateChainPath), source: 'PodCertificate chain' },
    { path: stringOf(keyPath), source: 'PodCertificate key' },
    { path: stringOf(credentialBundlePath), source: 'PodCertificate credential bundle' },
  ]
}

function overlaps(placed: readonly Placed[]): string[] {
  const seen: Placed[] = []
  const found: string[] = []
  for (const { path: given, source } of placed) {
    const one = { path: trimEndOf(given, '/'), source }
    const others = seen.filter(({ path }) => path !== '' && one.path !== '' && isAlong(path, one.path))
    found.push(...others.map((other) => `${text(one)} with ${text(other)}`))
    seen.push(one)
  }
  return found
}

const isAlong = (a: string, b: string): boolean => `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`)

const text = ({ path, source }: Placed): string => (source === '' ? quoted(path) : `${quoted(path)} (${source})`)
