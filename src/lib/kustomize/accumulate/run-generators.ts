import { absorb } from './absorb.ts'
import type { Accumulator, Build } from './accumulator.ts'
import { configured, goStruct } from '../kustomization/configured.ts'
import { generatorArgs, generatorOptions } from '../kustomization/entries.ts'
import { externalGenerators, type Generator } from './external.ts'
import { during, placed } from '../failure.ts'
import { generateConfigMap, generateSecret } from '../generate/generate.ts'
import { formatId } from '../objects/ids.ts'
import { chartsOf } from '../kustomization/helm-args.ts'
import { configureChart, inflateChart } from '../generate/inflate-chart.ts'
import { fieldNode, nodeOf, structOf, structsOf, textOf } from '../kustomization/decoded-fields.ts'
import { originOfField } from '../objects/origin.ts'
import { noteStep } from '../objects/provenance.ts'
import { currentId, type Resource } from '../objects/resource.ts'
import type { Target } from '../kustomization/target.ts'

/**
 * Runs the generators of a kustomization file, then those with a configuration of their own; all are configured first.
 *
 * @param readConfigs the configurations of `generators`; asked for when those of the file are configured, as errors come in that order
 */
export function runGenerators(
  build: Build,
  target: Target,
  into: Accumulator,
  readConfigs: () => readonly Resource[],
): void {
  const own = [
    ...fieldGenerators(build, target, 'configMapGenerator'),
    ...fieldGenerators(build, target, 'secretGenerator'),
    ...chartGenerators(build, target),
  ]
  const external = during('loading generator plugins', () => externalGenerators(readConfigs(), build, target.loader))
  for (const { generate, step } of [...own, ...external])
    for (const resource of generate()) {
      during(`merging from generator ${describe(resource)}`, () => absorb(into, resource, target.loader.rules))
      if (build.keepsTouches) noteStep([resource], step)
    }
}

type Field = 'configMapGenerator' | 'secretGenerator'

function fieldGenerators(build: Build, target: Target, field: Field): Generator[] {
  const { loader, file } = target
  const isSecret = field === 'secretGenerator'
  const by = isSecret ? 'SecretGenerator' : 'ConfigMapGenerator'
  const globals = structOf(file, 'generatorOptions')
  const options = globals && generatorOptions(globals)
  const generate = isSecret ? generateSecret : generateConfigMap
  return structsOf(file, field).map((entry, index) => ({
    step: { by, field: `${field}[${index}]`, config: nodeOf(entry) },
    generate: () => {
      const made = placed(nodeOf(entry), () => generate(loader, generatorArgs(entry), options))
      if (build.hasOrigins) made.origin = originOfField(loader, target.fileName, by)
      return [made]
    },
  }))
}

function chartGenerators(build: Build, target: Target): Generator[] {
  const { loader, file } = target
  const by = 'HelmChartInflationGenerator'
  const namespace = textOf(file, 'namespace') || loader.helmNamespace
  return chartsOf(file, namespace).map((config, index) => {
    const chart = configured(by, goStruct(config), () => configureChart(loader, config, build.helm))
    const generate = (): Resource[] => {
      const made = build.helm ? inflateChart(loader, chart, build.helm) : []
      for (const resource of made) if (build.hasOrigins) resource.origin = originOfField(loader, target.fileName, by)
      return made
    }
    return { generate, step: { by, field: `helmCharts[${index}]`, config: fieldNode(file, 'helmCharts') } }
  })
}

function describe(resource: Resource): string {
  return `&{${formatId(currentId(resource))}}`
}
