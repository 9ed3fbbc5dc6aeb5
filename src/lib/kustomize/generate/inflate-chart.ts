import { posix } from 'node:path'
import { parseDocuments } from '../../yaml/parse-documents.ts'
import { mapNode } from '../../yaml/make-nodes.ts'
import { type YamlMap, type YamlNode } from '../../yaml/nodes.ts'
import { toValue } from '../../yaml/to-value.ts'
import { writeYaml } from '../../yaml/write/write.ts'
import { SluiceError } from '../../error/sluice-error.ts'
import { isRecord } from '../../value/is-record.ts'
import type { Decoded } from '../kustomization/decode.ts'
import { buildError, during, failure } from '../failure.ts'
import type { Helm, HelmScratch } from './helm.ts'
import { jsonValue } from '../patches/json-patch.ts'
import { flagOf, textOf, textsOf } from '../kustomization/decoded-fields.ts'
import { loadBytes, loadText, type Loader } from '../files/loader.ts'
import { mergeNodes } from '../patches/merge.ts'
import { readResources } from '../objects/read-resources.ts'
import type { Resource } from '../objects/resource.ts'

/** A chart that was configured. */
export type Chart = {
  readonly config: Decoded
  readonly name: string
  readonly chartHome: string
  readonly valuesFile: string
  readonly valuesMerge: string
  readonly extraValues: readonly string[]
}

/** Checks the configuration of a chart, in kustomize's order. */
export function configureChart(loader: Loader, config: Decoded, helm: Helm | undefined): Chart {
  if (!helm)
    throw failure('KUSTOMIZE_UNSUPPORTED', 'must specify --enable-helm', undefined, 'or render the chart into a file')
  if (helm.command === '') throw failure('KUSTOMIZE_UNSUPPORTED', 'must specify --helm-command')
  const name = textOf(config, 'name')
  if (name === '') throw failure('KUSTOMIZE_INVALID', 'chart name cannot be empty')
  const home = chartHomeOf(loader, config, name)
  const extraValues = textsOf(config, 'additionalValuesFiles')
  for (const file of extraValues) during('could not load additionalValuesFile', () => loadBytes(loader, file))
  const valuesMerge = textOf(config, 'valuesMerge') || 'override'
  if (!['merge', 'override', 'replace'].includes(valuesMerge))
    throw failure('KUSTOMIZE_INVALID', 'valuesMerge must be one of [merge override replace]')
  return {
    config,
    name,
    chartHome: home,
    valuesFile: textOf(config, 'valuesFile') || posix.join(home, name, 'values.yaml'),
    valuesMerge,
    extraValues: extraValues.map((file) => posix.join(loader.root, file)),
  }
}

function chartHomeOf(loader: Loader, config: Decoded, name: string): string {
  const written = textOf(config, 'chartHome') || 'charts'
  const home = written.startsWith('/') ? written : posix.join(loader.root, written)
  const version = textOf(config, 'version')
  return version !== '' && textOf(config, 'repo') !== '' ? posix.join(home, `${name}-${version}`) : home
}

/** Renders a chart by `helm template`, pulling it first where it is not at hand. */
export function inflateChart(loader: Loader, chart: Chart, helm: Helm): Resource[] {
  return helm.withScratch((scratch) => {
    const home = textOf(chart.config, 'configHome') || posix.join(scratch.dir, 'helm')
    const run = (args: readonly string[]): string => runHelm(helm, scratch, home, args)
    checkVersion(run(['version', '--short']))
    if (!scratch.isFolder(posix.join(chart.chartHome, chart.name))) {
      if (textOf(chart.config, 'repo') === '') throw buildError(`no repo specified for pull, no chart found at ''`)
      run(pullArgs(chart))
      loader.seen.stats.clear()
    }
    const values = scratch.write(`${posix.basename(chart.name)}-kustomize-values.yaml`, valuesOf(loader, chart))
    return readChart(run(templateArgs(chart, helm, values)))
  })
}

function runHelm(helm: Helm, scratch: HelmScratch, home: string, args: readonly string[]): string {
  const env = { HELM_CONFIG_HOME: home, HELM_CACHE_HOME: `${home}/.cache`, HELM_DATA_HOME: `${home}/.data` }
  const { failure: reason, stdout, errors } = scratch.run(args, env)
  if (reason === undefined) return stdout
  const shown = args.includes('--debug') ? ` Helm stack trace:\n${errors}\nHelm template:\n${stdout}\n` : errors
  const given = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  throw buildError(
    `${shown === '' ? '' : `${shown}: `}unable to run: '${helm.command} ${args.join(' ')}' with env=[${given.join(' ')}] (is '${helm.command}' installed?): ${reason}`,
  )
}

function checkVersion(stdout: string): void {
  const version = /v?\d+(\.\d+)+/.exec(stdout)?.[0].replace(/^v/, '')
  if (version === undefined) throw buildError(`cannot find version string in ${stdout}`)
  const major = version.split('.')[0]
  if (major !== '3' && major !== '4') throw buildError(`this plugin requires helm V3 or V4 but got v${version}`)
}

function pullArgs({ config, name, chartHome }: Chart): string[] {
  const [repo, version] = [textOf(config, 'repo'), textOf(config, 'version')]
  return [
    'pull',
    '--untar',
    '--untardir',
    chartHome,
    ...(repo.startsWith('oci://') ? [`${repo.replace(/\/$/, '')}/${name}`] : ['--repo', repo, name]),
    ...(version === '' ? [] : ['--version', version]),
    ...(flagOf(config, 'devel') ? ['--devel'] : []),
  ]
}

function templateArgs({ config, name, chartHome, extraValues }: Chart, helm: Helm, values: string): string[] {
  const text = (flag: string, value: string): string[] => (value === '' ? [] : [flag, value])
  const release = textOf(config, 'releaseName')
  const apiVersions = textsOf(config, 'apiVersions')
  return [
    'template',
    release === '' ? '--generate-name' : release,
    posix.join(chartHome, name),
    ...text('--namespace', textOf(config, 'namespace')),
    ...text('--name-template', textOf(config, 'nameTemplate')),
    ...[values, ...extraValues].flatMap((file) => ['-f', file]),
    ...(apiVersions.length > 0 ? apiVersions : (helm.apiVersions ?? [])).flatMap((one) => ['--api-versions', one]),
    ...text('--kube-version', textOf(config, 'kubeVersion') || (helm.kubeVersion ?? '')),
    ...(flagOf(config, 'includeCRDs') ? ['--include-crds'] : []),
    ...(flagOf(config, 'skipTests') ? ['--skip-tests'] : []),
    ...(flagOf(config, 'skipHooks') ? ['--no-hooks'] : []),
    ...(flagOf(config, 'debug') || helm.debug ? ['--debug'] : []),
    ...(flagOf(config, 'devel') ? ['--devel'] : []),
  ]
}

/** The values of the chart or of `valuesFile`, with those of `valuesInline` merged in. */
function valuesOf(loader: Loader, chart: Chart): Uint8Array | string {
  const given = chart.config['valuesInline']
  if (!isMap(given) || given.fields.size === 0) return loadBytes(loader, chart.valuesFile)
  const inline = jsonValue(given)
  if (chart.valuesMerge === 'replace') return renderValues(inline)
  const file = parseDocuments(loadText(loader, chart.valuesFile), chart.valuesFile)[0]?.root ?? mapNode()
  const nowhere = { schema: undefined, keys: undefined }
  const merged =
    chart.valuesMerge === 'override' ? mergeNodes(file, inline, nowhere) : mergeNodes(inline, file, nowhere)
  return renderValues(merged ?? mapNode())
}

function renderValues(node: YamlNode): string {
  return writeYaml(toValue(node, { integers: 'bigint' }))
}

function isMap(value: unknown): value is YamlMap {
  return isRecord(value) && value['kind'] === 'map' && value['fields'] instanceof Map
}

/** Helm may say something before the first document. */
function readChart(stdout: string): Resource[] {
  const marked = (resources: Resource[]): Resource[] => {
    for (const resource of resources) resource.isFromHelm = true
    return resources
  }
  try {
    return marked(readResources(stdout, 'helm template'))
  } catch (error) {
    const start = stdout.indexOf('\n---')
    if (!(error instanceof SluiceError) || start < 0) throw error
    return marked(readResources(stdout.slice(start + 1), 'helm template'))
  }
}
