import { randomOf, type Tree } from './generate-tree.ts'
import { renderValue } from './render-yaml.ts'
import { addFeatures } from './rich-features.ts'
import type { Kustomization } from './rich-generators.ts'
import type { Rich } from './rich-fields.ts'
import { richManifest, type Id } from './rich-objects.ts'

/**
 * The files of one tree that has what the other generators leave out: directives of strategic merges, pointers and paths of every form,
 * odd lines of env files, bytes that are no text, names and keys that are numbers to YAML, kustomization files as people write them;
 * the folder to build is `/top`.
 */
export function generateRichTree(seed: number): Tree {
  const r = randomOf(seed ^ 0x3c6ef372)
  const files = new Map<string, string | Uint8Array>()
  const ids: Id[] = []
  const isOdd = r.chance(0.4)
  const rich: Rich = { r, files, ids, isOdd }
  const names = r.chance(0.3) ? ['one.yaml', 'two.yml'] : ['one.yaml']
  for (const name of names) {
    const { text, ids: own } = richManifest(r, isOdd && r.chance(0.5))
    files.set(`/base/${name}`, text)
    ids.push(...own.filter((id) => !ids.some((known) => known.kind === id.kind && known.name === id.name)))
  }
  write(rich, '/base', [...names, ...(isOdd && r.chance(0.1) ? [r.pick(ODD_PATHS)] : [])])
  let bases = ['../base']
  if (r.chance(0.35)) {
    write(rich, '/mid', bases)
    bases = ['../mid']
  }
  write(rich, '/top', bases)
  return files
}

const ODD_PATHS = [
  'missing.yaml',
  '',
  '.',
  '/abs.yaml',
  '../base',
  '../../up.yaml',
  './one.yaml',
  'one.yaml/',
  '../base/one.yaml',
  'sub',
]

function write(rich: Rich, dir: string, resources: readonly string[]): void {
  const { r, files } = rich
  const k: Kustomization = r.chance(0.15)
    ? { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' }
    : {}
  k['resources'] = [...resources]
  addFeatures(rich, k, dir)
  if (r.chance(0.2)) {
    const name = `/component${files.size}`
    const component: Kustomization = { apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component' }
    addFeatures(rich, component, name)
    files.set(`${name}/kustomization.yaml`, renderValue(r, component))
    k['components'] = [`..${name}`]
  }
  files.set(`${dir}/kustomization.yaml`, renderValue(r, k))
}
