import type { Kustomization } from '../../../../kinds/kustomization.ts'
import { SluiceError } from '../../../../lib/error/sluice-error.ts'
import type { ObjectRef } from '../../../../lib/kube/object.ts'
import { isImmutableError, rulesOf } from '../../../../pipeline/apply/rules.ts'
import { ApiError } from '../../../kube/api-error.ts'
import type { EngineContext } from '../../context.ts'
import type { LiveObjects } from './live-objects.ts'
import { type Prepared, prepare } from './prepare.ts'
import { applyError } from './refused.ts'
import { APPLY_MANAGER, type ApplyTools, type ObjectChange } from './tools.ts'

const GONE_TIMEOUT_MS = 60_000
const POLL_MS = 100
/** No object has this version: an apply that asks for it makes what is absent, and is a conflict where something is. */
const ABSENT = '1'

/** Does what was prepared; an immutable field is a reason to make the object anew where that is allowed. @throws SluiceError APPLY_FAILED */
export async function carryOut(tools: ApplyTools, kustomization: Kustomization, one: Prepared): Promise<ObjectChange> {
  const { context, live } = tools.target
  const { ref, object, change } = one
  if (one.do === 'create') return create(tools, kustomization, one)
  const isForced = kustomization.force || rulesOf(object).isForced
  try {
    if (one.do === 'recreate') await deleteAndWait(context, ref)
    return await applyOne(context, live, one)
  } catch (error) {
    const isRefused = error instanceof ApiError && isImmutableError(error.status, error.message, context.traps)
    if (one.do === 'recreate' || !isForced || !isRefused)
      throw applyError(ref, error, one.isRehearsed ? 'apply failed' : 'dry-run failed')
  }
  try {
    await deleteAndWait(context, ref)
    await applyOne(context, live, one)
  } catch (error) {
    throw applyError(ref, error, 'dry-run failed')
  }
  return { ...change, action: 'created' }
}

/** Makes what is absent in one request; what turns out to be there is looked at as everything else. */
async function create(tools: ApplyTools, kustomization: Kustomization, one: Prepared): Promise<ObjectChange> {
  const { context, live } = tools.target
  const { ref, object } = one
  const absent = { ...object, metadata: { ...object.metadata, resourceVersion: ABSENT } }
  try {
    return await applyOne(context, live, { ...one, object: absent })
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw applyError(ref, error, 'dry-run failed')
  }
  const found = await prepare(tools, kustomization, one, 1)
  if ('error' in found) throw found.error
  return found.do === 'nothing' ? found.change : carryOut(tools, kustomization, found)
}

async function applyOne({ client }: EngineContext, live: LiveObjects, one: Prepared): Promise<ObjectChange> {
  const { ref, object, hash, change } = one
  const before = live.get(ref)?.metadata.resourceVersion
  const applied = await client.patch(ref, 'apply', object, { fieldManager: APPLY_MANAGER, force: true })
  live.remember(ref, hash, applied)
  const isSame =
    one.do === 'apply' && !one.isTaken && change.action === 'configured' && before === applied.metadata.resourceVersion
  return isSame ? { ...change, action: 'unchanged' } : change
}

async function deleteAndWait({ client, clock }: EngineContext, ref: ObjectRef): Promise<void> {
  await client.delete(ref, { propagationPolicy: 'Background' })
  const deadlineMs = clock.monotonicMs() + GONE_TIMEOUT_MS
  while (await client.get(ref)) {
    if (clock.monotonicMs() > deadlineMs)
      throw new SluiceError('APPLY_FAILED', 'the object is still terminating after 60 s', { retry: 'backoff' })
    await new Promise<void>((resolve) => clock.after(POLL_MS, resolve))
  }
}
