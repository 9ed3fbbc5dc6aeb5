import { ApiError } from '../adapters/kube/api-error.ts'
import type { KubeClient } from '../adapters/kube/types.ts'
import { IGNORED } from '../pipeline/apply/rules.ts'
import { type KubeObject, refOf } from '../lib/kube/object.ts'

/** What the cluster follows: a repository's URL and branch, the folder that says what is deployed, and the login for write-backs. */
export type Bootstrap = {
  readonly url: string
  readonly branch: string
  readonly path: string
  readonly password: string
}

const FIELD_MANAGER = 'sluice-bootstrap'

/**
 * Makes the cluster follow the repository, as `flux bootstrap` does: namespace, login, GitRepository and Kustomization, all called `flux-system`.
 *
 * Applied at every start; a GitRepository or Kustomization that is there keeps what people changed in it. The GitRepository of that name that
 * `flux bootstrap` has put into Git names the repository's place elsewhere: it is left out, or the next push here would deliver nothing.
 */
export async function bootstrap(client: KubeClient, what: Bootstrap): Promise<void> {
  for (const object of accessObjects(what))
    await client.patch(refOf(object), 'apply', object, { fieldManager: FIELD_MANAGER, force: true })
  for (const object of syncObjects(what)) await createOnce(client, object)
}

async function createOnce(client: KubeClient, object: KubeObject): Promise<void> {
  try {
    await client.create(object, { fieldManager: FIELD_MANAGER })
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error
  }
}

function accessObjects({ password }: Bootstrap): readonly KubeObject[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'flux-system', namespace: 'flux-system' },
      stringData: { username: 'sluice', password },
    },
  ]
}

function syncObjects({ url, branch, path }: Bootstrap): readonly KubeObject[] {
  const metadata = { name: 'flux-system', namespace: 'flux-system' }
  return [
    {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { ...metadata, annotations: IGNORED },
      spec: { interval: '1m', url, ref: { branch }, secretRef: { name: 'flux-system' } },
    },
    {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata,
      spec: { interval: '10m', path, prune: true, sourceRef: { kind: 'GitRepository', name: 'flux-system' } },
    },
  ]
}
