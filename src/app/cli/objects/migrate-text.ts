import { own } from '../../../lib/value/own.ts'

/** A version that was written anew. */
export type Migration = { readonly line: number; readonly kind: string; readonly from: string; readonly to: string }

const LATEST: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'source.toolkit.fluxcd.io': {
    ...{ GitRepository: 'v1', OCIRepository: 'v1', Bucket: 'v1', ExternalArtifact: 'v1' },
    ...{ HelmRepository: 'v1', HelmChart: 'v1' },
  },
  'kustomize.toolkit.fluxcd.io': { Kustomization: 'v1' },
  'helm.toolkit.fluxcd.io': { HelmRelease: 'v2' },
  'image.toolkit.fluxcd.io': { ImageRepository: 'v1', ImagePolicy: 'v1', ImageUpdateAutomation: 'v1' },
  'notification.toolkit.fluxcd.io': { Alert: 'v1beta3', Provider: 'v1beta3', Receiver: 'v1' },
}
const VERSION = /^(\s*(?:- )?)apiVersion:\s*([a-z.]+\.fluxcd\.io)\/(v\w+)(\s.*)?$/
const KIND = /^\s*kind:\s*(\w+)/

/** Writes the latest version where `kind` stands in the line below `apiVersion`, as `flux migrate -f` does; every other byte stays. */
export function migrateText(text: string): { readonly text: string; readonly changes: readonly Migration[] } {
  const lines = text.split('\n')
  const changes: Migration[] = []
  for (const [at, line] of lines.entries()) {
    const [, indent = '', group = '', from = '', rest = ''] = VERSION.exec(line) ?? []
    const [, kind = ''] = KIND.exec(lines[at + 1] ?? '') ?? []
    const kinds = own(LATEST, group)
    const to = kinds && own(kinds, kind)
    if (to === undefined || to === from) continue
    lines[at] = `${indent}apiVersion: ${group}/${to}${rest}`
    changes.push({ line: at + 1, kind, from, to })
  }
  return { text: lines.join('\n'), changes }
}
