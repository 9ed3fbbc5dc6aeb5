/** Whether a refusal says that the namespace ends: then nothing is made in it any more, and there is nothing to be told of that. */
export function saysNamespaceEnds(failure: string | undefined): boolean {
  return failure?.endsWith('because it is being terminated') === true
}
