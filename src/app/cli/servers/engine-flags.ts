import type { EngineFlags } from '../../../adapters/engine/flags.ts'
import { parseDurationMs } from '../../../kinds/duration.ts'
import { parseLabelSelector, SelectorError } from '../../../lib/kube/selector.ts'

/** Flags of Flux's controllers that mean the same here, as `parseArgs` takes them. */
export const FLUX_OPTIONS = {
  'default-service-account': { type: 'string', default: '' },
  'sops-age-secret': { type: 'string', default: '' },
  'override-manager': { type: 'string', multiple: true },
  'requeue-dependency': { type: 'string', default: '30s' },
  'watch-label-selector': { type: 'string', default: '' },
  'watch-all-namespaces': { type: 'string', default: 'true' },
  'no-remote-bases': { type: 'boolean', default: false },
  'feature-gates': { type: 'string', default: '' },
  'storage-adv-addr': { type: 'string', default: '' },
} as const

/** The same, for the line of usage. */
export const FLUX_USAGE =
  '[--no-cross-namespace-refs] [--no-remote-bases] [--feature-gates ExternalArtifact=true] [--default-service-account NAME] [--sops-age-secret NAME] [--override-manager NAME]… [--requeue-dependency 30s] [--watch-label-selector SELECTOR] [--watch-all-namespaces=false] [--storage-adv-addr HOST:PORT]'

/** Values of these flags, as they were written. */
export type FluxValues = {
  readonly 'default-service-account': string
  readonly 'sops-age-secret': string
  readonly 'override-manager'?: string[]
  readonly 'requeue-dependency': string
  readonly 'watch-label-selector': string
  readonly 'watch-all-namespaces': string
  readonly 'no-remote-bases': boolean
  readonly 'feature-gates': string
  readonly 'storage-adv-addr': string
}

/** The flags as the engine takes them; a text says what is wrong with one. */
export function parseFluxFlags(values: FluxValues): EngineFlags | string {
  const requeueDependencyMs = parseDurationMs(values['requeue-dependency'])
  if (requeueDependencyMs === undefined || requeueDependencyMs <= 0) return '--requeue-dependency is a duration, as 30s'
  const watchAll = values['watch-all-namespaces']
  if (watchAll !== 'true' && watchAll !== 'false') return '--watch-all-namespaces is true or false'
  const watchSelector = values['watch-label-selector']
  const fault = selectorFault(watchSelector)
  if (fault !== undefined) return `--watch-label-selector: ${fault}`
  const overrideManagers = values['override-manager'] ?? []
  const gates = parseGates(values['feature-gates'])
  if (typeof gates === 'string') return gates
  const storageAdvAddr = values['storage-adv-addr']
  if (storageAdvAddr !== '' && !isHost(storageAdvAddr))
    return '--storage-adv-addr is HOST or HOST:PORT, as others reach the artifacts'
  if (overrideManagers.includes('')) return '--override-manager wants the name of a field manager'
  return {
    requeueDependencyMs,
    watchSelector,
    overrideManagers,
    watchAllNamespaces: watchAll === 'true',
    remoteBases: !values['no-remote-bases'],
    externalArtifact: gates.get('ExternalArtifact') ?? false,
    defaultServiceAccount: values['default-service-account'],
    sopsAgeSecret: values['sops-age-secret'],
    storageAdvAddr,
  }
}

const LISTEN_FLAGS = ['artifact-listen', 'receiver-listen', 'events-listen', 'metrics-listen'] as const

/** What is wrong with a flag that says where to listen; an empty one says nowhere. */
export function listenFlagFault(values: Readonly<Record<(typeof LISTEN_FLAGS)[number], string>>): string | undefined {
  const wrong = LISTEN_FLAGS.find((name) => values[name] !== '' && !isListenAddress(values[name]))
  return wrong && `--${wrong} is HOST:PORT, with a port from 0 to 65535, not "${values[wrong]}"`
}

function isListenAddress(text: string): boolean {
  const [, port] = /:(\d{1,5})$/.exec(text) ?? []
  return port !== undefined && Number(port) <= 65_535
}

const GATES = ['ExternalArtifact']

function parseGates(text: string): ReadonlyMap<string, boolean> | string {
  const gates = new Map<string, boolean>()
  for (const one of text.split(',').filter((part) => part !== '')) {
    const [, name = '', value = ''] = /^(\w+)=(true|false)$/.exec(one) ?? []
    if (value === '') return `--feature-gates wants Name=true or Name=false, not "${one}"`
    if (!GATES.includes(name)) return `--feature-gates: "${name}" is no gate of this engine (${GATES.join(', ')})`
    gates.set(name, value === 'true')
  }
  return gates
}

function isHost(text: string): boolean {
  return /^[^/?#@\s]+$/.test(text) && URL.canParse(`http://${text}`)
}

function selectorFault(text: string): string | undefined {
  try {
    parseLabelSelector(text)
    return undefined
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error
    return error.message
  }
}
