import yaml from 'js-yaml'

/** Writes a plain value as one YAML document, keys sorted as Go's sigs.k8s.io/yaml sorts them. */
export function dump(value: unknown): string {
  return yaml.dump(value, { sortKeys: true, lineWidth: -1, noRefs: true })
}
