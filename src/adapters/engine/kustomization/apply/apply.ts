import type { Kustomization } from '../../../../kinds/kustomization.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import { describeRef, type KubeObject, type ObjectRef } from '../../../../lib/kube/object.ts'
import { compileIgnore } from '../../../../pipeline/apply/ignore.ts'
import { STAGES, stageOf } from '../../../../pipeline/apply/order.ts'
import { refusalToTell } from '../../../../pipeline/apply/refusal.ts'
import { judge } from '../../../../pipeline/health/kstatus.ts'
import type { EngineContext } from '../../context.ts'
import { eachLimited } from '../../each-limited.ts'
import { carryOut } from './carry-out.ts'
import { desiredObjects, type Desired } from './desired.ts'
import { hashJson } from './live-objects.ts'
import { creation, looksNew, prepare } from './prepare.ts'
import type { Target } from './target.ts'
import type { ApplyTools, ObjectChange } from './tools.ts'

const DRY_RUNS_AT_ONCE = 4
const STAGE_TIMEOUT_MS = 60_000
const POLL_MS = 100

/**
 * Applies built objects in Flux's stages and order. Nothing of a stage is applied when one of its objects is refused, but for the first apply of a
 * Kustomization (docs/adr/0079); what has not changed in Git nor in the cluster costs no request.
 *
 * @throws SluiceError APPLY_FAILED with Flux's text, naming the first object that was refused; `changes` made before it are told to `onChange`,
 * and the end of each stage to `onStage`
 */
export async function applyObjects(
  tools: ApplyTools,
  kustomization: Kustomization,
  built: readonly KubeObject[],
  { onChange, onStage }: { readonly onChange: (change: ObjectChange) => void; readonly onStage: () => void },
): Promise<void> {
  const { context } = tools.target
  const desired = desiredObjects(built, kustomization, context)
  for (const stage of STAGES) {
    const objects = desired.filter(({ ref }) => stageOf(ref, context.stageKinds) === stage)
    if (objects.length === 0) continue
    const applied = await applyStage(tools, kustomization, objects, onChange)
    onStage()
    if (stage !== 'rest') await waitUntilCurrent(context, applied)
  }
}

async function applyStage(
  tools: ApplyTools,
  kustomization: Kustomization,
  desired: readonly Desired[],
  onChange: (change: ObjectChange) => void,
): Promise<readonly ObjectRef[]> {
  const { context, live, account } = tools.target
  const ignored = compileIgnore(kustomization.ignore)
  await needPlaces(tools.target, desired)
  // Rules that were taken back make a field Git's again, and other rights may not suffice, though neither Git nor the cluster changed.
  const { ignore } = kustomization
  const rules = ignore.length === 0 && account === '' ? '' : hashJson([ignore, account])
  const ruled = rules === '' ? desired : desired.map((one) => ({ ...one, hash: `${one.hash} ${rules}` }))
  const changed = tools.isAsked ? ruled : ruled.filter(({ ref, hash }) => !live.isUnchanged(ref, hash))
  const open = changed.map(({ ref, hash, whole }) => {
    const object = whole()
    return { ref, hash, object, ignored: ignored(object) }
  })
  // One object is all or nothing by itself (Flux rehearses it, too, and tells which of the two was refused), and where nothing was applied yet nothing can be torn apart.
  const isFresh = context.traps === 'safe' && kustomization.inventory.length === 0
  const isWhole = (open.length === 1 && context.traps === 'safe') || isFresh
  const prepared = await eachLimited(open, DRY_RUNS_AT_ONCE, async (one) =>
    isWhole && !tools.isAsked && looksNew(live, one) ? creation(one) : prepare(tools, kustomization, one, open.length),
  )
  const refusals = prepared.filter((one) => 'error' in one)
  const early = context.traps === 'flux' ? desired[Math.min(DRY_RUNS_AT_ONCE, desired.length) - 1]?.ref : undefined
  const refusal = refusalToTell(refusals, early)
  if (refusal) throw refusal
  const byRef = new Map(prepared.flatMap((one) => ('error' in one ? [] : [[one.ref, one] as const])))
  const planned = [...byRef.values()].filter((one) => one.do !== 'nothing')
  if (planned.length > 0) await tools.onPlan(planned.map(({ change }) => change))
  const applied: ObjectRef[] = []
  for (const { ref } of desired) {
    const one = byRef.get(ref)
    if (one === undefined) {
      onChange({ ref, action: 'unchanged', isDrift: false })
      continue
    }
    onChange(one.do === 'nothing' ? one.change : await carryOut(tools, kustomization, one))
    if (one.do !== 'nothing') applied.push(ref)
  }
  return applied
}

/** A stage of definitions is over when the server serves them. */
async function waitUntilCurrent({ client, clock }: EngineContext, refs: readonly ObjectRef[]): Promise<void> {
  const deadlineMs = clock.monotonicMs() + STAGE_TIMEOUT_MS
  for (const ref of refs)
    for (;;) {
      const { health, why } = judge(await client.get(ref), clock.nowMs())
      if (health === 'Current') break
      if (clock.monotonicMs() > deadlineMs)
        throw new SluiceError('APPLY_FAILED', `timeout waiting for: [${describeRef(ref)} status: '${health}': ${why}]`)
      await new Promise<void>((resolve) => clock.after(POLL_MS, resolve))
    }
}

/** What Git leaves alone may be of a kind, and in a place, that the server does not know. */
async function needPlaces(target: Target, desired: readonly Desired[]): Promise<void> {
  const known = new Set<string>()
  for (const { ref, isIgnored } of desired) {
    const kind = `${ref.apiVersion}/${ref.kind}`
    if (isIgnored) continue
    if (!known.has(kind)) await needKind(target, ref)
    known.add(kind)
    await needNamespace(target.context, ref)
  }
}

async function needKind({ context, live }: Target, ref: ObjectRef): Promise<void> {
  const { apiVersion, kind } = ref
  if (await live.ensure(apiVersion, kind)) return
  const message =
    context.traps === 'flux' && (await isGroup(context, apiVersion))
      ? `failed to get API group resources: unable to retrieve the complete list of server APIs: ${apiVersion}: converting (v1.APIGroup) to (v1.APIResourceList): unknown conversion`
      : `no matches for kind "${kind}" in version "${apiVersion}"`
  throw new SluiceError('APPLY_FAILED', `${describeRef(ref)} dry-run failed: ${message}\n`)
}

/** A group without a version: Kubernetes' own client asks for its kinds, is told of its versions, and stumbles. */
async function isGroup({ client }: EngineContext, apiVersion: string): Promise<boolean> {
  if (!/^[a-z0-9.-]+$/.test(apiVersion)) return false
  const { status, text } = await client.raw('GET', `/apis/${apiVersion}`)
  return status === 200 && /"kind":\s*"APIGroup"/.test(text)
}

async function needNamespace({ client, traps }: EngineContext, ref: ObjectRef): Promise<void> {
  if (ref.namespace !== '') return
  const resource = await client.resource(ref.apiVersion, ref.kind)
  if (!resource?.namespaced) return
  const wayOut =
    traps === 'safe'
      ? '; write metadata.namespace, or namespace: in a kustomization.yaml, or spec.targetNamespace of the Kustomization'
      : ''
  throw new SluiceError(
    'APPLY_FAILED',
    `${describeRef(ref)} namespace not specified: the server could not find the requested resource${wayOut}\n`,
  )
}
