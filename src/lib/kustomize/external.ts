import { mapNode, stringNode, type YamlMap } from '../yaml/nodes.ts'
import { SluiceError } from '../error/sluice-error.ts'
import { accumulatePaths, emptyAccumulator, append, type Accumulator, type Build } from './accumulate.ts'
import { decodeStruct, type Decoded, type Shape } from './decode.ts'
import { generatorArgs } from './entries.ts'
import { failure, placed } from './failure.ts'
import { generateConfigMap, generateSecret } from './generate.ts'
import { CONFIG_MAP_ARGS, SECRET_ARGS, structOf, textOf, type TextEntry } from './kustomization.ts'
import type { Loader } from './loader.ts'
import { readInside } from './read-resources.ts'
import { fieldMap, fieldText, newResource, type Resource } from './resource.ts'
import { markByConfig, markFile } from './origin.ts'
import { runPlugin } from './plugins.ts'
import { dropDeleted } from './transform.ts'
import { noteStep } from './provenance.ts'

/** Reads the configurations of `generators`, `transformers` or `validators`: paths or inline YAML. */
export function readExternal(build: Build, loader: Loader, entries: readonly TextEntry[]): readonly Resource[] {
  if (entries.length === 0) return []
  const collected = emptyAccumulator()
  const paths: TextEntry[] = []
  for (const entry of entries) {
    const inline = readInline(entry)
    if (inline) {
      markFile(inline, loader, 'kustomization.yaml')
      append(collected, inline)
    } else paths.push(entry)
  }
  accumulatePaths(build, loader, paths, collected)
  return collected.resources
}

function readInline(entry: TextEntry): Resource[] | undefined {
  try {
    return readInside(entry.text, entry.node)
  } catch (error) {
    if (error instanceof SluiceError) return undefined
    throw error
  }
}

/** Runs transformer configurations in order. */
export function runTransformers(configs: readonly Resource[], build: Build, loader: Loader, into: Accumulator): void {
  for (const config of configs) {
    checkBuiltIn(config.node)
    placed(config.node, () => runPlugin(config, build, loader, into))
    if (build.keepsTouches) {
      const by = fieldText(config.node, 'kind')
      noteStep(into.resources, { by, field: 'transformers', config: config.node })
    }
    dropDeleted(into)
    into.keys = undefined
  }
}

/** Makes the objects of generator configurations. */
export function runGenerators(configs: readonly Resource[], build: Build, loader: Loader): Resource[] {
  return configs.flatMap((config) => {
    const made = placed(config.node, () => generateBy(config, loader))
    for (const resource of made) markByConfig(resource, config)
    if (build.keepsTouches)
      noteStep(made, { by: fieldText(config.node, 'kind'), field: 'generators', config: config.node })
    return made
  })
}

function generateBy(config: Resource, loader: Loader): Resource[] {
  checkBuiltIn(config.node)
  const kind = fieldText(config.node, 'kind')
  if (kind === 'ConfigMapGenerator') return [generateConfigMap(loader, argsOf(config.node, CONFIG_MAP_ARGS), undefined)]
  if (kind === 'SecretGenerator') return [generateSecret(loader, argsOf(config.node, SECRET_ARGS), undefined)]
  if (kind === 'IAMPolicyGenerator') return [generateIamPolicy(config.node)]
  throw failure(
    'KUSTOMIZE_UNSUPPORTED',
    `unable to load builtin ${kind}`,
    config.node,
    'only the generators that kustomize has built in are run',
  )
}

/** Name and namespace of a plug-in configuration stand in its metadata. */
function argsOf(node: YamlMap, shape: Shape): ReturnType<typeof generatorArgs> {
  const decoded: Decoded = decodeStruct(node, shape, 'lenient', 'error unmarshaling JSON')
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
  if (annotations?.fields.has('config.kubernetes.io/function'))
    throw failure(
      'KUSTOMIZE_UNSUPPORTED',
      `external plugins disabled; unable to load function for ${fieldText(node, 'kind')}`,
      node,
      'container and exec functions are not run',
    )
  const apiVersion = fieldText(node, 'apiVersion')
  if (apiVersion === 'builtin' || apiVersion === 'kustomize.config.k8s.io/v1beta1') return
  throw failure(
    'KUSTOMIZE_UNSUPPORTED',
    `external plugins disabled; unable to load external plugin '${fieldText(node, 'kind')}'`,
    node,
    'only apiVersion: builtin is run',
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

function generateIamPolicy(config: YamlMap): Resource {
  const decoded = decodeStruct(config, IAM, 'lenient', 'error unmarshaling JSON')
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
