/**
 * The address behind a stable name: `http://git.sluice.local/app.git` -> `http://127.0.0.1:4711/app.git`.
 *
 * @param aliases host -> `host:port`; only http, for what we embed ourselves
 */
export function aliasGitUrl(url: string, aliases: Readonly<Record<string, string>>): string {
  const match = /^http:\/\/([^/@]+)(\/.*)?$/.exec(url)
  const host = aliases[match?.[1] ?? '']
  return host === undefined ? url : `http://${host}${match?.[2] ?? ''}`
}
