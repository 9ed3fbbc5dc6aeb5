import { type Json, type JsonObject, listOf, numberOf, objectOf, stringOf } from '../../../lib/kube/json.ts'
import type { Call } from '../request/call.ts'
import { booleanIn, numberIn } from '../request/query.ts'
import { dryRunFaults } from '../request/write-options.ts'
import { readDeleteOptions } from '../decoding/body.ts'
import { type FieldError, invalid } from '../fault.ts'

/** What a DELETE asks for, from its body and query. */
export type Removal = {
  readonly propagation: 'Background' | 'Foreground' | 'Orphan' | undefined
  readonly graceSeconds: number | undefined
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
  readonly dryRun: boolean
  /** Asks to remove it even if it cannot be read. */
  readonly isUnsafe: boolean
  /** The options as they were said, for whoever is asked about them. */
  readonly said: JsonObject
}

const LEAVES_PODS =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning'

const DELETE_OPTIONS = { group: 'meta.k8s.io', kind: 'DeleteOptions' }
const POLICIES = ['Foreground', 'Background', 'Orphan'] as const

/** DeleteOptions as they were said: what is not said is undefined. */
type Options = {
  readonly grace: number | undefined
  readonly policy: string | undefined
  readonly orphan: boolean | undefined
  readonly dryRun: readonly string[]
  readonly isUnsafe: boolean
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
}

/**
 * Reads DeleteOptions, which are in the body or, without one, in the query.
 *
 * @throws Fault 400, 415, 422
 */
export function removalOf(call: Call): Removal {
  return removalBy(call, call.body.length > 0 ? optionsOf(readDeleteOptions(call)) : optionsIn(call.query))
}

/** The same for options that are a part of something else. @throws Fault 422 */
export function removalWith(call: Call, options: JsonObject): Removal {
  const { dryRun, ...removal } = removalBy(call, optionsOf(options))
  return { ...removal, dryRun: dryRun || call.dryRun }
}

function removalBy(call: Call, options: Options): Removal {
  const { policy, orphan, grace } = options
  const faults = faultsOf(options)
  if (faults.length > 0) throw invalid(DELETE_OPTIONS, '', faults)
  if (options.isUnsafe && call.name === '') throw invalid(DELETE_OPTIONS, '', [UNSAFE_FOR_MANY])
  if (call.resource.storageKey === 'batch/jobs' && policy === undefined && orphan === undefined)
    call.warnings.push(LEAVES_PODS)
  return {
    propagation: POLICIES.find((each) => each === policy) ?? ofOrphan(orphan),
    graceSeconds: grace,
    uid: options.uid,
    resourceVersion: options.resourceVersion,
    dryRun: options.dryRun.length > 0,
    isUnsafe: options.isUnsafe,
    said: saidOf(options),
  }
}

function saidOf({ grace, policy, orphan, dryRun, uid, resourceVersion }: Options): JsonObject {
  const preconditions = { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) }
  return {
    ...(grace !== undefined && { gracePeriodSeconds: grace }),
    ...(Object.keys(preconditions).length > 0 && { preconditions }),
    ...(orphan !== undefined && { orphanDependents: orphan }),
    ...(policy !== undefined && { propagationPolicy: policy }),
    ...(dryRun.length > 0 && { dryRun: [...dryRun] }),
  }
}

const ofOrphan = (orphan: boolean | undefined): Removal['propagation'] =>
  orphan === undefined ? undefined : orphan ? 'Orphan' : 'Background'

function optionsOf(body: JsonObject): Options {
  const preconditions = objectOf(body.preconditions)
  const textOf = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined)
  return {
    grace: numberOf(body.gracePeriodSeconds),
    policy: textOf(body.propagationPolicy),
    orphan: typeof body.orphanDependents === 'boolean' ? body.orphanDependents : undefined,
    dryRun: listOf(body.dryRun).map(stringOf),
    isUnsafe: body[UNSAFE] === true,
    uid: textOf(preconditions.uid),
    resourceVersion: textOf(preconditions.resourceVersion),
  }
}

function optionsIn(query: URLSearchParams): Options {
  return {
    grace: numberIn(query, 'gracePeriodSeconds'),
    policy: query.get('propagationPolicy') ?? undefined,
    orphan: booleanIn(query, 'orphanDependents'),
    dryRun: query.getAll('dryRun'),
    isUnsafe: booleanIn(query, UNSAFE) === true,
    uid: query.get('uid') || undefined,
    resourceVersion: query.get('resourceVersion') || undefined,
  }
}

/** The option that removes even what cannot be read. */
export const UNSAFE = 'ignoreStoreReadErrorWithClusterBreakingPotential'

/** @see k8s.io/apimachinery/pkg/apis/meta/v1/validation ValidateDeleteOptions */
function faultsOf({ grace, policy, orphan, dryRun, isUnsafe, uid, resourceVersion }: Options): FieldError[] {
  const faults: FieldError[] = []
  const field = 'propagationPolicy'
  const quoted = JSON.stringify(policy)
  if (orphan !== undefined && policy !== undefined)
    faults.push({
      field,
      type: 'Invalid',
      message: `Invalid value: ${quoted}: orphanDependents and deletionPropagation cannot be both set`,
    })
  if (policy !== undefined && !POLICIES.some((each) => each === policy))
    faults.push({
      field,
      type: 'NotSupported',
      message: `Unsupported value: ${quoted}: supported values: "Foreground", "Background", "Orphan", "nil"`,
    })
  faults.push(...dryRunFaults(dryRun))
  if (!isUnsafe) return faults
  const others = {
    propagationPolicy: policy,
    orphanDependents: orphan,
    gracePeriodSeconds: grace,
    preconditions: uid ?? resourceVersion,
  }
  for (const [name, value] of Object.entries(others))
    if (value !== undefined)
      faults.push({
        field: UNSAFE,
        type: 'Invalid',
        message: `Invalid value: true: cannot be set together with .${name}`,
      })
  return faults
}

const UNSAFE_FOR_MANY: FieldError = {
  field: UNSAFE,
  type: 'Invalid',
  message: 'Invalid value: true: is not allowed with DELETECOLLECTION, try again after removing the option',
}
