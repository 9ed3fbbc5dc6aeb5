import { objectOf, objectsOf } from '../../../lib/kube/json.ts'
import { type Obj, specOf } from '../object.ts'
import type { User } from '../request/user.ts'
import { rememberStorage } from '../resources/definitions.ts'
import { type Resource, SIGNING_REQUESTS, writesStatus } from '../resources/resource.ts'
import { writeAppArmor } from './app-armor.ts'
import { countTemplate } from './daemon-sets.ts'
import { labelLikeTemplate, selectOwnPods } from './jobs.ts'
import { startNamespace } from './namespaces.ts'
import { keepClass, startPod } from './pods.ts'
import { settleService } from './services.ts'
import { settleSigningRequest, stampRequester } from './signing-requests.ts'
import { keepPhaseTime, nameSourceTwice, stampPhase } from './volumes.ts'

/** Who writes, when, and through which subresource. */
export type StrategyWrite = {
  readonly user: User
  readonly nowMs: number
  readonly subresource: string
  /** What the writer is told besides. */
  readonly warnings: string[]
}

/** What a kind does with what is written besides defaults and rules. All in place. @see PrepareForCreate and PrepareForUpdate of the registry's strategies */
export type Strategy = {
  readonly forCreate?: (object: Obj, write: StrategyWrite) => void
  readonly forUpdate?: (object: Obj, before: Obj, write: StrategyWrite) => void
  /** What reading a new object again from where it is kept sets: it depends on what was added. */
  readonly afterCreate?: (object: Obj) => void
}

/** Of the secrets of an account only the names are kept. */
function nameSecrets(account: Obj): void {
  if (Array.isArray(account.secrets))
    account.secrets = objectsOf(account.secrets).map(({ name }) => (name === undefined ? {} : { name }))
}

const STRATEGIES: Readonly<Record<string, Strategy>> = {
  '/namespaces': {
    forCreate: startNamespace,
    forUpdate(namespace, before, { subresource }) {
      if (subresource === '') namespace.spec = before.spec
    },
  },
  '/persistentvolumeclaims': { afterCreate: (claim) => nameSourceTwice(specOf(claim)) },
  '/persistentvolumes': {
    forCreate: (volume, { nowMs }) => stampPhase(volume, nowMs),
    forUpdate(volume, before, { subresource }) {
      if (writesStatus(subresource)) keepPhaseTime(objectOf(volume.status), objectOf(before.status))
    },
  },
  '/pods': {
    forCreate(pod, { nowMs, warnings }) {
      startPod(pod, nowMs)
      warnings.push(...writeAppArmor(pod))
    },
    forUpdate(pod, before, { subresource }) {
      if (writesStatus(subresource)) keepClass(pod, before)
    },
  },
  '/serviceaccounts': { forCreate: nameSecrets, forUpdate: nameSecrets },
  '/services': { forUpdate: settleService },
  'apiextensions.k8s.io/customresourcedefinitions': {
    forCreate: rememberStorage,
    forUpdate(definition, _before, { subresource }) {
      if (!writesStatus(subresource)) rememberStorage(definition)
    },
  },
  'apps/daemonsets': {
    forCreate: (set) => countTemplate(set, undefined),
    forUpdate: countTemplate,
  },
  'batch/jobs': { forCreate: selectOwnPods, afterCreate: labelLikeTemplate },
  [SIGNING_REQUESTS]: {
    forCreate: (request, { user }) => stampRequester(request, user),
    forUpdate: (request, before, { subresource, nowMs }) => settleSigningRequest(request, before, subresource, nowMs),
  },
}

/** The strategy of a kind; one that does nothing for most. */
export function strategyOf({ storageKey }: Resource): Strategy {
  return STRATEGIES[storageKey] ?? {}
}
