import { writeYaml } from './write/write.ts'

/** Writes a plain value as one YAML document, byte for byte as Go's sigs.k8s.io/yaml (kubectl, kustomize) writes it. */
export function dump(value: unknown): string {
  return writeYaml(value)
}
