import type { Environment } from '../environment.ts'
import type { Obj } from '../object.ts'
import { isDefinition } from '../resources/definitions.ts'
import { giveBackAddress, keepAddresses } from './addresses.ts'
import { aggregateRoles } from './aggregate.ts'
import { keepApiServices } from './api-services.ts'
import { endWithLast, installDefinition } from './definitions.ts'
import { metricsReader, offerMetrics } from './metrics-api.ts'
import { fillNamespace, giveBack, isContentOfNamespace } from './namespace-contents.ts'
import { isValidatingPolicy, tellObserved } from './policy-status.ts'
import { putOwn } from './put-own.ts'
import { signApproved } from './sign.ts'

/** What a write brings with it: a definition its kinds, a namespace its contents. */
export function afterWrite(env: Environment, object: Obj | undefined, before: Obj | undefined): void {
  const either = object ?? before
  if (either === undefined) return
  if (either.kind === 'ClusterRole' && isRbac(either)) aggregateRoles(env)
  if (object !== undefined && offerMetrics(env, object)) {
    putOwn(env, 'rbac.authorization.k8s.io/clusterroles', metricsReader())
    aggregateRoles(env)
    keepApiServices(env)
  }
  if (isDefinition(either)) installDefinition(env, either, object !== undefined)
  const isLast = object === undefined && endWithLast(env, either)
  if (either.kind === 'Service' && either.apiVersion === 'v1') keepAddresses(env, object, before)
  if (isDefinition(either) || isLast || either.kind === 'APIService') keepApiServices(env)
  if (either.kind === 'Namespace' && either.apiVersion === 'v1' && object !== undefined && before === undefined)
    fillNamespace(env, object)
  if (object !== undefined && isSigningRequest(object)) signApproved(env, object)
  if (object !== undefined && isValidatingPolicy(object)) tellObserved(env, object)
  if (before !== undefined && isContentOfNamespace(before)) giveBack(env, before)
  if (before !== undefined && object === undefined && isAddress(before)) giveBackAddress(env, before)
}

const isSigningRequest = ({ kind, apiVersion }: Obj): boolean =>
  kind === 'CertificateSigningRequest' && apiVersion === 'certificates.k8s.io/v1'

const isAddress = ({ kind, apiVersion }: Obj): boolean =>
  kind === 'IPAddress' && apiVersion.startsWith('networking.k8s.io/')

const isRbac = ({ apiVersion }: Obj): boolean => apiVersion === 'rbac.authorization.k8s.io/v1'
