import { mapNode, stringNode } from '../../yaml/make-nodes.ts'
import { type YamlMap } from '../../yaml/nodes.ts'
import type { Accumulator, Build } from './accumulator.ts'
import { decodeStruct, type Decoded, type Shape } from '../kustomization/decode.ts'
import { generatorArgs } from '../kustomization/entries.ts'
import { during, failure, placed } from '../failure.ts'
import { generateConfigMap, generateSecret } from '../generate/generate.ts'
import { structOf, textOf } from '../kustomization/decoded-fields.ts'
import { CONFIG_MAP_ARGS, embedded, SECRET_ARGS } from '../kustomization/kustomization.ts'
import { HELM_PLUGIN } from '../kustomization/helm-args.ts'
import { formatId } from '../objects/ids.ts'
import { configureChart, inflateChart } from '../generate/inflate-chart.ts'
import type { Loader } from '../files/loader.ts'
import { fieldMap, fieldText, newResource, originalId, type Resource } from '../objects/resource.ts'
import { originOfConfig } from '../objects/origin.ts'
import { checkPrint, configureTransformer, GENERATORS, isTransformer, unknownBuiltIn } from './plugins.ts'
import type { TransformStep } from './transform.ts'
import { noteStep, type Step } from '../objects/provenance.ts'

/** Configures the transformers of `transformers:` or `validators:`, which have a configuration each. */
export function externalSteps(
  configs: readonly Resource[],
  build: Build,
  loader: Loader,
  into: Accumulator,
): TransformStep[] {
  return configs.map((config) => {
    checkBuiltIn(config.node)
    const by = fieldText(config.node, 'kind')
    const transform = placed(config.node, () => {
      if (!GENERATORS.includes(by)) return configureTransformer(config, build, loader, into)
      // Kustomize configures what it loads before it looks at what it is.
      configureGenerator(config, build, loader)
      throw failure('KUSTOMIZE_INVALID', `plugin ${formatId(originalId(config))} not a transformer`, config.node)
    })
    const run = (): void => {
      placed(config.node, transform)
      if (build.keepsTouches) noteStep(into.resources, { by, field: 'transformers', config: config.node })
    }
    return { by, run, origin: build.hasOrigins ? originOfConfig(config) : undefined }
  })
}

/** A generator that was configured, and how its step is called. */
export type Generator = { readonly generate: () => Resource[]; readonly step: Step }

/** Configures the generators of `generators:`, which have a configuration each. */
export function externalGenerators(configs: readonly Resource[], build: Build, loader: Loader): Generator[] {
  return configs.map((config) => {
    const generate = placed(config.node, () =>
      during('failed to load generator', () => configureGenerator(config, build, loader)),
    )
    return {
      step: { by: fieldText(config.node, 'kind'), field: 'generators', config: config.node },
      generate: () => {
        const made = placed(config.node, generate)
        if (build.hasOrigins) for (const resource of made) resource.origin = originOfConfig(config)
        return made
      },
    }
  })
}

function configureGenerator(config: Resource, build: Build, loader: Loader): () => Resource[] {
  checkBuiltIn(config.node)
  const kind = fieldText(config.node, 'kind')
  if (isTransformer(kind) || GENERATORS.includes(kind)) checkPrint(config)
  const fault = `plugin ${formatId(originalId(config))} fails configuration`
  if (kind === 'ConfigMapGenerator') {
    const args = during(fault, () => argsOf(config.node, CONFIG_MAP_PLUGIN))
    return () => [generateConfigMap(loader, args, undefined)]
  }
  if (kind === 'SecretGenerator') {
    const args = during(fault, () => argsOf(config.node, SECRET_PLUGIN))
    return () => [generateSecret(loader, args, undefined)]
  }
  if (kind === 'IAMPolicyGenerator') return configureIamPolicy(config.node, fault)
  if (kind === 'HelmChartInflationGenerator') {
    const args = decodeStruct(config.node, HELM_PLUGIN, 'printed', 'error unmarshaling JSON: while decoding JSON')
    const chart = during(fault, () => configureChart(loader, args, build.helm))
    return () => (build.helm ? inflateChart(loader, chart, build.helm) : [])
  }
  if (isTransformer(kind))
    throw failure('KUSTOMIZE_INVALID', `plugin ${formatId(originalId(config))} not a generator`, config.node)
  throw unknownBuiltIn(config, 'only the generators that kustomize has built in are run')
}

const CONFIG_MAP_PLUGIN = embedded(CONFIG_MAP_ARGS, 'ConfigMapGeneratorPlugin')
const SECRET_PLUGIN = embedded(SECRET_ARGS, 'SecretGeneratorPlugin')

/** Name and namespace of a plug-in configuration stand in its metadata. */
function argsOf(node: YamlMap, shape: Shape): ReturnType<typeof generatorArgs> {
  const decoded: Decoded = decodeStruct(node, shape, 'printed', 'error unmarshaling JSON: while decoding JSON')
  const metadata = fieldMap(node, 'metadata')
  const name = textOf(decoded, 'name') || fieldText(metadata, 'name')
  return {
    ...generatorArgs(decoded),
    name,
    namespace: textOf(decoded, 'namespace') || fieldText(metadata, 'namespace'),
  }
}

/** Functions and programs are refused by name. */
function checkBuiltIn(node: YamlMap): void {
  const annotations = fieldMap(fieldMap(node, 'metadata'), 'annotations')
  if (fieldText(node, 'apiVersion') === 'builtin') return
  const isFunction = annotations?.fields.has('config.kubernetes.io/function')
  throw failure(
    'KUSTOMIZE_UNSUPPORTED',
    `external plugins disabled; unable to load external plugin '${fieldText(node, 'kind')}'`,
    node,
    isFunction ? 'container and exec functions are not run' : 'only apiVersion: builtin is run',
  )
}

const IAM: Shape = {
  struct: 'IAMPolicyGeneratorArgs',
  fields: {
    cloud: 'string',
    kubernetesService: { struct: 'KubernetesService', fields: { namespace: 'string', name: 'string' } },
    serviceAccount: { struct: 'ServiceAccount', fields: { name: 'string', projectId: 'string' } },
  },
}

function configureIamPolicy(config: YamlMap, fault: string): () => Resource[] {
  const read = (): Decoded => decodeStruct(config, IAM, 'printed', 'error unmarshaling JSON: while decoding JSON')
  const decoded = during(fault, read)
  return () => [generateIamPolicy(config, decoded)]
}

function generateIamPolicy(config: YamlMap, decoded: Decoded): Resource {
  const cloud = textOf(decoded, 'cloud')
  if (cloud !== 'gke') throw failure('KUSTOMIZE_UNSUPPORTED', `cloud provider ${cloud} not supported yet`, config)
  const service = structOf(decoded, 'kubernetesService') ?? {}
  const account = structOf(decoded, 'serviceAccount') ?? {}
  const email = `${textOf(account, 'name')}@${textOf(account, 'projectId')}.iam.gserviceaccount.com`
  const metadata = mapNode([
    ['annotations', mapNode([['iam.gke.io/gcp-service-account', stringNode(email)]])],
    ['name', stringNode(textOf(service, 'name'))],
  ])
  if (textOf(service, 'namespace') !== '') metadata.fields.set('namespace', stringNode(textOf(service, 'namespace')))
  const fields: [string, YamlMap | ReturnType<typeof stringNode>][] = [
    ['apiVersion', stringNode('v1')],
    ['kind', stringNode('ServiceAccount')],
    ['metadata', metadata],
  ]
  return newResource(mapNode(fields))
}
