/** Pure. What is wrong with a refspec, in the words of Go's library. Flux pushes the branch first, and fails then. */
export function refspecFault(refspec: string | undefined): string | undefined {
  if (refspec === undefined) return undefined
  const sides = refspec.replace(/^\+/, '').split(':')
  if (sides.length !== 2) return 'malformed refspec, separators are wrong'
  const [from = 0, to = 0] = sides.map((side) => side.split('*').length - 1)
  return from === to && from < 2 ? undefined : 'malformed refspec, mismatched number of wildcards'
}
