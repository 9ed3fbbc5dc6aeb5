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

/** More than the header of an answer has room for. */
const MOST_OVERLAPS = 200

/** Each file with those before it that lie along its path, the first {@link MOST_OVERLAPS}, in time that grows with what the paths say. */
function overlaps(placed: readonly Placed[]): string[] {
  const files = placed.map(({ path, source }) => ({ path: trimEndOf(path, '/'), source })).filter(({ path }) => path)
  const kin = kinOf(files.map(({ path }) => path))
  const before = new Map([...kin.keys()].map((path): [string, string[]] => [path, []]))
  const [seen, found] = [new Set<string>(), new Set<string>()]
  for (const one of files) {
    for (const other of before.get(one.path) ?? []) found.add(`${text(one)} with ${other}`)
    if (found.size >= MOST_OVERLAPS) break
    if (seen.has(text(one))) continue
    seen.add(text(one))
    for (const path of kin.get(one.path) ?? []) before.get(path)?.push(text(one))
  }
  return [...found].slice(0, MOST_OVERLAPS)
}

/** Of each path itself, and those that it lies below or that lie below it: in order a path comes just before all that is below it. */
function kinOf(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const kin = new Map(paths.map((path): [string, string[]] => [path, [path]]))
  const above: string[] = []
  for (const path of [...kin.keys()].sort((a, b) => (`${a}/` < `${b}/` ? -1 : 1))) {
    while (above.length > 0 && !path.startsWith(`${above.at(-1)}/`)) above.pop()
    for (const other of above) {
      kin.get(path)?.push(other)
      kin.get(other)?.push(path)
    }
    above.push(path)
  }
  return kin
}

const text = ({ path, source }: Placed): string => (source === '' ? quoted(path) : `${quoted(path)} (${source})`)
