import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { read } from '../../../lib/kube/read.ts'

type Put = (spec: Record<string, unknown>, words: readonly string[]) => void
/** What a flag of flux writes, and how often it may be given. */
export type Flag = { readonly type: 'string' | 'boolean'; readonly multiple?: boolean; readonly put: Put }

/** A kind that can be made from flags. */
export type CreatedKind = {
  readonly apiVersion: string
  readonly defaults?: Readonly<Record<string, unknown>>
  readonly flags: Readonly<Record<string, Flag>>
}

const text = (...path: string[]): Flag => ({ type: 'string', put: (spec, [word]) => set(spec, path, word) })
const flag = (...path: string[]): Flag => ({ type: 'boolean', put: (spec) => set(spec, path, true) })
const list = (...path: string[]): Flag => ({
  type: 'string',
  multiple: true,
  put: (spec, words) => set(spec, path, words.flatMap(parted)),
})
/** `a,b`: several words in one, as flux's lists may be written. */
const parted = (word: string): readonly string[] => word.split(',')
const ignored: Flag = {
  type: 'string',
  multiple: true,
  put: (spec, words) => set(spec, ['ignore'], words.flatMap(parted).join('\n')),
}
/** `Kind/name.namespace`, as flux writes a reference. */
const ref = (...path: string[]): Flag => ({
  type: 'string',
  put: (spec, [word = '']) => set(spec, path, parseRef(word)),
})
const refs = (...path: string[]): Flag => ({
  type: 'string',
  multiple: true,
  put: (spec, words) => set(spec, path, words.flatMap(parted).map(parseRef)),
})
const named = (...path: string[]): Flag => text(...path, 'name')

/** Flux's kinds with the flags of `flux create`, and what each kind has when nothing is said. */
export const CREATED_KINDS: Readonly<Record<string, CreatedKind>> = {
  GitRepository: {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    defaults: { interval: '1m' },
    flags: {
      url: text('url'),
      branch: text('ref', 'branch'),
      tag: text('ref', 'tag'),
      'tag-semver': text('ref', 'semver'),
      commit: text('ref', 'commit'),
      'ref-name': text('ref', 'name'),
      'secret-ref': named('secretRef'),
      'proxy-secret-ref': named('proxySecretRef'),
      'recurse-submodules': flag('recurseSubmodules'),
      'sparse-checkout-paths': list('sparseCheckout'),
      'ignore-paths': ignored,
      provider: text('provider'),
      timeout: text('timeout'),
      interval: text('interval'),
    },
  },
  OCIRepository: {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    defaults: { interval: '1m' },
    flags: {
      url: text('url'),
      tag: text('ref', 'tag'),
      'tag-semver': text('ref', 'semver'),
      digest: text('ref', 'digest'),
      'secret-ref': named('secretRef'),
      'cert-ref': named('certSecretRef'),
      'proxy-secret-ref': named('proxySecretRef'),
      'service-account': text('serviceAccountName'),
      'ignore-paths': ignored,
      'verify-provider': text('verify', 'provider'),
      'verify-secret-ref': named('verify', 'secretRef'),
      'verify-issuer': identity('issuer'),
      'verify-subject': identity('subject'),
      insecure: flag('insecure'),
      provider: text('provider'),
      timeout: text('timeout'),
      interval: text('interval'),
    },
  },
  Bucket: {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    defaults: { interval: '1m' },
    flags: {
      'bucket-name': text('bucketName'),
      endpoint: text('endpoint'),
      region: text('region'),
      provider: text('provider'),
      insecure: flag('insecure'),
      'secret-ref': named('secretRef'),
      'proxy-secret-ref': named('proxySecretRef'),
      'ignore-paths': ignored,
      timeout: text('timeout'),
      interval: text('interval'),
    },
  },
  Kustomization: {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    defaults: { interval: '1m', prune: false },
    flags: {
      source: ref('sourceRef'),
      path: text('path'),
      prune: flag('prune'),
      wait: flag('wait'),
      force: flag('force'),
      'depends-on': {
        type: 'string',
        multiple: true,
        put: (spec, words) => set(spec, ['dependsOn'], words.flatMap(partedDependencies).map(parseDependency)),
      },
      'health-check': {
        type: 'string',
        multiple: true,
        put: (spec, words) => set(spec, ['healthChecks'], words.flatMap(parted).map(parseHealthCheck)),
      },
      'health-check-timeout': text('timeout'),
      'kubeconfig-secret-ref': named('kubeConfig', 'secretRef'),
      'target-namespace': text('targetNamespace'),
      'service-account': text('serviceAccountName'),
      'decryption-provider': text('decryption', 'provider'),
      'decryption-secret': named('decryption', 'secretRef'),
      'retry-interval': text('retryInterval'),
      timeout: text('timeout'),
      interval: text('interval'),
    },
  },
  ImageRepository: {
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    defaults: { interval: '1m' },
    flags: {
      image: text('image'),
      'secret-ref': named('secretRef'),
      'cert-ref': named('certSecretRef'),
      'scan-timeout': text('timeout'),
      interval: text('interval'),
    },
  },
  ImagePolicy: {
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    flags: {
      'image-ref': named('imageRepositoryRef'),
      'select-semver': text('policy', 'semver', 'range'),
      'select-alpha': text('policy', 'alphabetical', 'order'),
      'select-numeric': text('policy', 'numerical', 'order'),
      'filter-regex': text('filterTags', 'pattern'),
      'filter-extract': text('filterTags', 'extract'),
      'reflect-digest': text('digestReflectionPolicy'),
      interval: text('interval'),
    },
  },
  ImageUpdateAutomation: {
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    defaults: { interval: '1m' },
    flags: {
      'git-repo-ref': {
        type: 'string',
        put: (spec, [name]) => {
          set(spec, ['sourceRef', 'kind'], 'GitRepository')
          set(spec, ['sourceRef', 'name'], name)
        },
      },
      'git-repo-namespace': text('sourceRef', 'namespace'),
      'signing-key-secret': named('git', 'commit', 'signingKey', 'secretRef'),
      'signing-key-type': text('git', 'commit', 'signingKey', 'type'),
      'git-repo-path': {
        type: 'string',
        put: (spec, [path]) => set(spec, ['update'], { path, strategy: 'Setters' }),
      },
      'checkout-branch': text('git', 'checkout', 'ref', 'branch'),
      'push-branch': text('git', 'push', 'branch'),
      'commit-template': text('git', 'commit', 'messageTemplate'),
      'author-name': text('git', 'commit', 'author', 'name'),
      'author-email': text('git', 'commit', 'author', 'email'),
      interval: text('interval'),
    },
  },
  Provider: {
    apiVersion: 'notification.toolkit.fluxcd.io/v1beta3',
    flags: {
      type: text('type'),
      address: text('address'),
      channel: text('channel'),
      username: text('username'),
      'secret-ref': named('secretRef'),
    },
  },
  Alert: {
    apiVersion: 'notification.toolkit.fluxcd.io/v1beta3',
    flags: {
      'provider-ref': named('providerRef'),
      'event-severity': text('eventSeverity'),
      'event-source': refs('eventSources'),
    },
  },
  Receiver: {
    apiVersion: 'notification.toolkit.fluxcd.io/v1',
    flags: {
      type: text('type'),
      event: list('events'),
      resource: refs('resources'),
      'secret-ref': named('secretRef'),
    },
  },
}

function set(spec: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path
  if (rest.length === 0) spec[key] = value
  else {
    const inner: unknown = spec[key]
    const next: Record<string, unknown> = typeof inner === 'object' && inner !== null ? { ...inner } : {}
    spec[key] = next
    set(next, rest, value)
  }
}

/** Who may have signed: flux takes one issuer and one subject. */
function identity(field: 'issuer' | 'subject'): Flag {
  return {
    type: 'string',
    put: (spec, [word]) => {
      const given = read(spec, 'verify', 'matchOIDCIdentity')
      const [first = {}] = Array.isArray(given) ? (given as readonly object[]) : []
      set(spec, ['verify', 'matchOIDCIdentity'], [{ ...first, [field]: word }])
    },
  }
}

/** `a,b/c`; an expression behind `@` may have commas of its own. */
function partedDependencies(word: string): readonly string[] {
  return word.includes('@') ? [word] : parted(word)
}

/** `Deployment/web.apps`, as flux takes what is to be healthy. */
function parseHealthCheck(word: string): object {
  const [, kind = '', name = '', namespace = ''] = /^(\w+)\/([\w-]+)\.([\w-]+)$/.exec(word) ?? []
  if (name === '') throw new SluiceError('USAGE', `"${word}" is not Kind/name.namespace`)
  const apiVersion = kind === 'HelmRelease' ? 'helm.toolkit.fluxcd.io/v2' : 'apps/v1'
  return { apiVersion, kind, name, namespace }
}

/** A dependency as flux takes it: `[namespace/]name[@readyExpr]`. */
export function parseDependency(word: string): object {
  const [whole = '', ...expression] = word.split('@')
  const [first = '', ...rest] = whole.split('/')
  const name = rest.length === 0 ? { name: first } : { namespace: first, name: rest.join('/') }
  return expression.length === 0 ? name : { ...name, readyExpr: expression.join('@') }
}

/** `GitRepository/app`, `app` (a GitRepository), `GitRepository/app.team`. */
function parseRef(word: string): object {
  const [, kind = 'GitRepository', name = '', namespace] = /^(?:(\w+)\/)?([\w*-]+)(?:\.([\w-]+))?$/.exec(word) ?? []
  if (name === '') throw new SluiceError('USAGE', `"${word}" is not Kind/name or Kind/name.namespace`)
  return { kind, name, ...(namespace === undefined ? {} : { namespace }) }
}
