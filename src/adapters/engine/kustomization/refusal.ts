import type { Kustomization } from '../../../kinds/kustomization.ts'
import { blockedReference } from '../../../kinds/flux-object.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'
import { compileHealthExpressions, type JudgeByExpression } from '../../../pipeline/health/expressions.ts'
import { boundedExpression } from '../bounded-expression.ts'
import type { EngineContext } from '../context.ts'

/** Why a Kustomization can never work as it is written. */
export type Refusal = { readonly reason: string; readonly message: string }

type Compiled = { readonly judge: JudgeByExpression } | { readonly refusal: Refusal }

const compiled = new WeakMap<Kustomization, Compiled>()
const SOURCES = ['GitRepository', 'OCIRepository', 'Bucket', 'ExternalArtifact']

/** What only a change of the object can help against; `undefined`: nothing is wrong with it. */
export function refusalOf(
  kustomization: Kustomization,
  { crossNamespace, traps, flags }: Pick<EngineContext, 'crossNamespace' | 'traps' | 'flags'>,
): Refusal | undefined {
  const { namespace, sourceRef, decryption } = kustomization
  if (kustomization.invalid !== undefined) return { reason: 'InvalidSpec', message: kustomization.invalid }
  const expressions = compile(kustomization)
  if ('refusal' in expressions) return expressions.refusal
  if (decryption?.serviceAccountName !== undefined)
    return {
      reason: 'FeatureGateDisabled',
      message:
        'to use spec.decryption.serviceAccountName for decryption authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller',
    }
  if (!SOURCES.includes(sourceRef.kind))
    return { reason: 'ArtifactFailed', message: `source \`${sourceRef.name}\` kind '${sourceRef.kind}' not supported` }
  if (sourceRef.kind === 'ExternalArtifact' && traps === 'flux' && !flags.externalArtifact) {
    const source = `ExternalArtifact/${sourceRef.namespace}/${sourceRef.name}`
    return { reason: 'AccessDenied', message: `can't access '${source}', ExternalArtifact feature gate is disabled` }
  }
  if (!crossNamespace && sourceRef.namespace !== namespace)
    return { reason: 'AccessDenied', message: blockedReference(sourceRef) }
  return undefined
}

/** Judges by `spec.healthCheckExprs`; compiled once an object. */
export function expressionJudge(kustomization: Kustomization): JudgeByExpression {
  const expressions = compile(kustomization)
  return 'judge' in expressions ? expressions.judge : () => undefined
}

function compile(kustomization: Kustomization): Compiled {
  const found = compiled.get(kustomization) ?? compileFresh(kustomization)
  compiled.set(kustomization, found)
  return found
}

function compileFresh({ healthExpressions }: Kustomization): Compiled {
  try {
    return { judge: compileHealthExpressions(healthExpressions, boundedExpression) }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const message = `Reconciliation failed terminally due to configuration error: ${error.message}`
    return { refusal: { reason: 'InvalidCELExpression', message } }
  }
}
