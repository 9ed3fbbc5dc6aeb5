/** Says a fault of a build in the words of Flux's own builder, which is built with other versions of the same libraries than kustomize is. */
export function fluxWords(message: string): string {
  return message
    .replace(/^runtime error: /, 'recovered from kustomize build panic: $&')
    .replace(
      /(failed to decode Kubernetes YAML from \S+: )an item of a list is no object/,
      '$1missing Resource metadata',
    )
    .replace('missing kind in object {{ } {{ } map[] map[]}}', 'missing Resource metadata')
    .replace(
      /remove operation does not apply: doc is missing path: "([^"]*)": (Unable to remove nonexistent key)/,
      "error in remove for path: '$1': $2",
    )
    .replace(/^invalid Kustomization: (?=json: )/, 'error unmarshaling JSON: while decoding JSON: ')
    .replace(/^invalid Kustomization: (?=yaml: )/, 'error converting YAML to JSON: ')
    .replace(/^(failed to decode Kubernetes YAML from \S+: )(yaml: )/, '$1MalformedYAMLError: $2')
}
