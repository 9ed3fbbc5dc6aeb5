/** What an error says; one of several attempts at once, as at both addresses of a name, has no words of its own. */
export function faultText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message !== '') return error.message
  const attempts = error instanceof AggregateError ? error.errors.map(faultText).join('; ') : ''
  const { code = '' } = error as NodeJS.ErrnoException
  return attempts || code || error.name
}
