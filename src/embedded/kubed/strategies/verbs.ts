import type { Resource } from '../resources/resource.ts'

/** Kinds that a PUT of what is not there creates. @see AllowCreateOnUpdate of the registry's strategies */
const CREATED_BY_PUT = new Set([
  'coordination.k8s.io/leases',
  '/endpoints',
  '/events',
  '/limitranges',
  '/services',
  ...['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'].map(
    (each) => `rbac.authorization.k8s.io/${each}`,
  ),
])

export const isCreatedByPut = ({ storageKey }: Resource): boolean => CREATED_BY_PUT.has(storageKey)

/** Built-in kinds that are replaced only by those who say which version they have seen. @see AllowUnconditionalUpdate */
const MUST_SAY_VERSION = new Set([
  'apiextensions.k8s.io/customresourcedefinitions',
  'coordination.k8s.io/leases',
  'policy/poddisruptionbudgets',
  'node.k8s.io/runtimeclasses',
  ...['csidrivers', 'csinodes', 'csistoragecapacities', 'volumeattachments'].map((each) => `storage.k8s.io/${each}`),
  ...['clustertrustbundles', 'podcertificaterequests'].map((each) => `certificates.k8s.io/${each}`),
  ...['validatingadmissionpolicies', 'mutatingadmissionpolicies'].flatMap((each) =>
    [each, each.replace(/ies$/, 'ybindings')].map((plural) => `admissionregistration.k8s.io/${plural}`),
  ),
])

export const mustSayVersion = ({ custom, storageKey }: Resource): boolean =>
  custom !== undefined || MUST_SAY_VERSION.has(storageKey)

/** Kinds whose DELETE answers the object that is gone. @see ReturnDeletedObject of the registry's stores */
const SHOWN_WHEN_GONE = new Set([
  ...['/pods', '/services', '/serviceaccounts', '/persistentvolumes', '/persistentvolumeclaims'],
  ...['/podtemplates', '/resourcequotas'],
  ...['csidrivers', 'csinodes', 'storageclasses', 'volumeattachments', 'volumeattributesclasses'].map(
    (each) => `storage.k8s.io/${each}`,
  ),
  ...['resourceclaims', 'resourceclaimtemplates', 'resourceslices', 'deviceclasses'].map(
    (each) => `resource.k8s.io/${each}`,
  ),
])

export const isShownWhenGone = ({ storageKey }: Resource): boolean => SHOWN_WHEN_GONE.has(storageKey)

/** Kinds of which the real server cannot delete what it cannot read. */
const UNGUARDED = new Set([
  '/namespaces',
  ...['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'].map(
    (each) => `rbac.authorization.k8s.io/${each}`,
  ),
])

export const hasUnsafeDeleter = ({ storageKey }: Resource): boolean => !UNGUARDED.has(storageKey)

/** Kinds whose dependents stay unless it is said otherwise, as they did when nobody collected them. */
const ORPHANING = new Set(['batch/jobs', '/replicationcontrollers'])

export const isOrphaning = ({ storageKey }: Resource): boolean => ORPHANING.has(storageKey)

/** Kinds that are listed, as every server lists them, and would have no effect that their users can rely on. */
const REFUSED: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io/validatingwebhookconfigurations':
    'kubed calls no admission webhooks: use an admission policy',
  'admissionregistration.k8s.io/mutatingwebhookconfigurations':
    'kubed calls no admission webhooks: use an admission policy',
  'apiregistration.k8s.io/apiservices': 'kubed aggregates no other API servers: use custom resources',
}

/** Why a kind is not kept; undefined for those that are. */
export const whyNotKept = ({ storageKey }: Resource): string | undefined => REFUSED[storageKey]
