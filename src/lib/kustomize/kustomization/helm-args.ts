import type { Decoded, Shape } from './decode.ts'
import { structOf, structsOf, textOf } from './decoded-fields.ts'

const STRINGS: Shape = { list: 'string' }

/** Where charts and Helm's own files lie. */
export const HELM_GLOBALS: Shape = { struct: 'HelmGlobals', fields: { chartHome: 'string', configHome: 'string' } }

const chartFields = {
  name: 'string',
  version: 'string',
  repo: 'string',
  releaseName: 'string',
  namespace: 'string',
  additionalValuesFiles: STRINGS,
  valuesFile: 'string',
  valuesInline: { map: 'any' },
  valuesMerge: 'string',
  includeCRDs: 'bool',
  skipHooks: 'bool',
  apiVersions: STRINGS,
  kubeVersion: 'string',
  nameTemplate: 'string',
  skipTests: 'bool',
  debug: 'bool',
  devel: 'bool',
} as const

/** An entry of `helmCharts`. */
export const HELM_CHART: Shape = { struct: 'HelmChart', fields: chartFields }

/** A HelmChartInflationGenerator with a configuration of its own. */
export const HELM_PLUGIN: Shape = {
  struct: 'HelmChartInflationGeneratorPlugin',
  fields: { ...chartFields, chartHome: 'string', configHome: 'string' },
}

/** An entry of the old `helmChartInflationGenerator`. */
export const OLD_HELM_CHART: Shape = {
  struct: 'HelmChartArgs',
  fields: {
    chartName: 'string',
    chartVersion: 'string',
    chartRepoUrl: 'string',
    chartHome: 'string',
    chartRepoName: 'string',
    helmBin: 'string',
    helmHome: 'string',
    values: 'string',
    valuesLocal: 'any',
    valuesMerge: 'string',
    releaseName: 'string',
    releaseNamespace: 'string',
    extraArgs: STRINGS,
  },
}

const OLD_NAMES = [
  ['name', 'chartName'],
  ['version', 'chartVersion'],
  ['repo', 'chartRepoUrl'],
  ['valuesFile', 'values'],
  ['valuesInline', 'valuesLocal'],
  ['valuesMerge', 'valuesMerge'],
  ['releaseName', 'releaseName'],
] as const

/** The charts of a kustomization file with the globals in each, the old field's behind the new one's. */
export function chartsOf(file: Decoded, namespace: string): readonly Decoded[] {
  const old = structsOf(file, 'helmChartInflationGenerator')
  const globals = structOf(file, 'helmGlobals') ?? oldGlobals(old)
  const renamed = old.map((chart) =>
    Object.fromEntries(OLD_NAMES.flatMap(([name, was]) => (chart[was] === undefined ? [] : [[name, chart[was]]]))),
  )
  return [...structsOf(file, 'helmCharts'), ...renamed].map((chart) => ({
    ...globals,
    ...chart,
    ...(textOf(chart, 'namespace') === '' && namespace !== '' ? { namespace } : {}),
  }))
}

function oldGlobals(old: readonly Decoded[]): Decoded {
  const last = (name: string): string => old.map((chart) => textOf(chart, name)).findLast((text) => text !== '') ?? ''
  return { chartHome: last('chartHome'), configHome: last('helmHome') }
}
