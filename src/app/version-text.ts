declare const SLUICE_VERSION: string | undefined

/** The version of this build; `dev` when run from source. */
export function versionText(): string {
  return typeof SLUICE_VERSION === 'string' ? SLUICE_VERSION : 'dev'
}
