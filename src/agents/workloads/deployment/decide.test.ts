import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BACKOFF } from '../../../engine/controller.ts'
import type { KubeObject } from '../../../lib/kube/object.ts'
import { controlledBy, controllerOf, isSame, scaledValue } from '../meta.ts'
import { decideReplicaSet } from '../replicaset/decide.ts'
import { as, type Deployment, type Pod, type ReplicaSet } from '../shapes.ts'
import type { Write } from '../write.ts'
import type { WorkloadDecision } from '../decision.ts'
import { decideDeployment, type DeploymentSeen } from './decide.ts'
import { maxSurge, maxUnavailable } from './scaling.ts'

const nowMs = Date.parse('2026-11-23T04:00:00Z')

function deployment(spec: Partial<Deployment['spec']> = {}, image = 'web:1'): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'a', uid: 'd', generation: 1 },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image }] } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      ...spec,
    },
  }
}

function see(target: Deployment, candidates: readonly ReplicaSet[] = []): DeploymentSeen {
  return {
    deployment: target,
    candidates,
    setNamed: () => undefined,
    hasRunningPods: () => false,
    nowMs,
    atWorkSinceMs: 0,
  }
}

/** A tiny cluster in memory: carries writes out, gives pods to ReplicaSets, and makes pods ready as it is told. */
class World {
  readonly objects = new Map<string, KubeObject>()
  #next = 1
  writes = 0

  put(object: KubeObject): KubeObject {
    const { name, namespace = '', uid, resourceVersion: _old, ...rest } = object.metadata
    const version = this.#next++
    const metadata = {
      ...rest,
      name,
      namespace,
      uid: uid ?? `u${version}`,
      resourceVersion: String(version),
      creationTimestamp: object.metadata.creationTimestamp ?? new Date(nowMs + version * 1000).toISOString(),
    }
    const stored = { ...object, metadata }
    this.objects.set(`${object.kind}/${name}`, stored)
    return stored
  }

  of<T extends KubeObject>(kind: string): T[] {
    return [...this.objects.values()].filter((object) => object.kind === kind).map((object) => as<T>(object))
  }

  carryOut(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.do !== 'tell') this.writes++
      switch (write.do) {
        case 'create':
          this.put({
            ...write.object,
            metadata: {
              ...write.object.metadata,
              name: write.object.metadata.name || `${write.object.metadata.generateName}${this.#next}`,
            },
          })
          break
        case 'replace':
          if (this.objects.has(`${write.object.kind}/${write.object.metadata.name}`))
            this.put({ ...this.objects.get(`${write.object.kind}/${write.object.metadata.name}`), ...write.object })
          break
        case 'patch': {
          const found = this.objects.get(`${write.ref.kind}/${write.ref.name}`)
          const { ownerReferences = [] } = (
            write.body as { metadata: { ownerReferences?: { uid: string; $patch?: string }[] } }
          ).metadata
          assert.ok(found)
          const isRelease = ownerReferences[0]?.$patch === 'delete'
          this.put({
            ...found,
            metadata: { ...found.metadata, ownerReferences: isRelease ? [] : (ownerReferences as never) },
          })
          break
        }
        case 'delete':
          this.objects.delete(`${write.object.kind}/${write.object.metadata.name}`)
      }
    }
  }

  /** One look of both controllers; answers whether anything was written. */
  step(check: () => void): boolean {
    const before = this.writes
    for (const target of this.of<Deployment>('Deployment')) {
      const sets = this.of<ReplicaSet>('ReplicaSet')
      const candidates = sets.filter((set) => [target.metadata.uid, undefined].includes(controllerOf(set)?.uid))
      const pods = this.of<Pod>('Pod')
      this.take(
        decideDeployment({
          deployment: target,
          candidates,
          setNamed: (name) => sets.find((set) => set.metadata.name === name),
          hasRunningPods: (uid) => pods.some((pod) => controllerOf(pod)?.uid === uid),
          nowMs,
          atWorkSinceMs: 0,
        }),
      )
      check()
    }
    for (const set of this.of<ReplicaSet>('ReplicaSet')) {
      const candidates = this.of<Pod>('Pod').filter((pod) =>
        [set.metadata.uid, undefined].includes(controllerOf(pod)?.uid),
      )
      this.take(decideReplicaSet({ set, selector: set.spec.selector, candidates, siblingsOn: () => 0, nowMs }))
      check()
    }
    return this.writes > before
  }

  take(decision: WorkloadDecision): void {
    this.carryOut(decision.kind === 'act' ? decision.changes : decision.status)
  }

  readyPods(): Pod[] {
    return this.of<Pod>('Pod').filter((pod) =>
      pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    )
  }

  makeReady(pod: Pod): void {
    this.put({
      ...pod,
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-11-23T03:00:00Z' }],
      },
    })
  }
}

/** Small, seeded: the same cases every time. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

test('a rollout from any state converges, within its bounds at every step, and a second run writes nothing', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const roll = random(seed)
    const pick = <T>(items: readonly T[]): T => items[Math.floor(roll() * items.length)] as T
    const world = new World()
    const replicas = Math.floor(roll() * 8)
    const strategy = {
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: pick([0, 1, 2, '25%', '100%']), maxUnavailable: pick([0, 1, '25%', '50%']) },
    }
    const target = world.put(deployment({ replicas, strategy, revisionHistoryLimit: pick([0, 2, 10]) }))
    let lowest = 0
    const check = (): void => {
      const current = as<Deployment>(world.of<Deployment>('Deployment')[0] ?? target)
      const most = replicas + maxSurge(current)
      assert.ok(world.of('Pod').length <= Math.max(most, lowest), `seed ${seed}: too many pods`)
    }
    const run = (image: string, mustStay: boolean): void => {
      const current = world.of<Deployment>('Deployment')[0] as Deployment
      const { template } = deployment({}, image).spec
      world.put({
        ...current,
        metadata: { ...current.metadata, generation: (current.metadata.generation ?? 0) + 1 },
        spec: { ...current.spec, template },
      })
      lowest = world.of('Pod').length
      const least = replicas - maxUnavailable(current)
      for (let round = 0; round < 500; round++) {
        const hasWritten = world.step(check)
        if (mustStay) assert.ok(world.readyPods().length >= least, `seed ${seed}: too few ready pods`)
        const waiting = world.of<Pod>('Pod').filter((pod) => !pod.status)
        if (waiting.length > 0 && roll() < 0.7) world.makeReady(pick(waiting))
        else if (!hasWritten && waiting.length === 0) break
      }
    }
    run('web:1', false)
    run('web:2', true)
    run(pick(['web:1', 'web:3']), true)
    const writes = world.writes
    assert.equal(world.step(check), false, `seed ${seed}: a second run wrote`)
    assert.equal(world.writes, writes)
    assert.equal(world.readyPods().length, replicas)
    const status = world.of<Deployment>('Deployment')[0]?.status
    assert.equal(
      status?.conditions?.find(({ type }) => type === 'Progressing')?.reason,
      'NewReplicaSetAvailable',
      `seed ${seed}`,
    )
  }
})

test('recreate has no new pod before the old are gone', () => {
  const world = new World()
  world.put(deployment({ strategy: { type: 'Recreate' } }))
  const settle = (): void => {
    for (let round = 0; round < 60; round++) {
      const images = new Set(world.of<Pod>('Pod').map((pod) => pod.spec.containers[0]?.['image']))
      assert.ok(images.size <= 1)
      for (const pod of world.of<Pod>('Pod')) if (!pod.status) world.makeReady(pod)
      if (!world.step(() => undefined)) break
    }
  }
  settle()
  const current = world.of<Deployment>('Deployment')[0] as Deployment
  world.put({ ...current, spec: { ...current.spec, template: deployment({}, 'web:2').spec.template } })
  settle()
  assert.deepEqual(
    world.of<Pod>('Pod').map((pod) => pod.spec.containers[0]?.['image']),
    ['web:2', 'web:2', 'web:2'],
  )
})

function kinds(decision: WorkloadDecision): string[] {
  return decision.kind === 'act'
    ? decision.changes.map((write) => `${write.do}${'subresource' in write && write.subresource ? ' status' : ''}`)
    : [decision.kind]
}

test('the first look creates the ReplicaSet and says so', () => {
  const decision = decideDeployment(see(deployment()))
  assert.deepEqual(kinds(decision), ['create', 'replace status'])
  assert.ok(decision.kind === 'act')
  const [create] = decision.changes
  assert.ok(create?.do === 'create')
  const set = as<ReplicaSet>(create.object)
  assert.equal(set.spec.replicas, 3)
  assert.equal(set.metadata.annotations?.['deployment.kubernetes.io/max-replicas'], '4')
  assert.ok(isSame(set.metadata.ownerReferences, [controlledBy(deployment())]))
  assert.match(create.tell?.message ?? '', /^Scaled up replica set web-\w+ from 0 to 3$/)
})

test('a name that is taken by a stranger raises the collision count', () => {
  const stranger = as<ReplicaSet>({ ...deployment(), kind: 'ReplicaSet', metadata: { name: 'x', uid: 's' } })
  const decision = decideDeployment({ ...see(deployment()), setNamed: () => stranger })
  assert.ok(decision.kind === 'act' && decision.changes[0]?.do === 'replace')
  assert.equal(as<Deployment>(decision.changes[0].object).status?.collisionCount, 1)
})

test('a refused creation becomes a condition and is tried again later', () => {
  const decision = decideDeployment({ ...see(deployment()), failure: 'exceeded quota' })
  assert.ok(decision.kind === 'wait' && decision.status[0]?.do === 'replace')
  const { conditions } = as<Deployment>(decision.status[0].object).status ?? {}
  assert.equal(conditions?.find(({ type }) => type === 'Progressing')?.reason, 'ReplicaSetCreateError')
})

test('a creation that is refused because the namespace ends is not told of', () => {
  const failure =
    'replicasets.apps "d" is forbidden: unable to create new content in namespace a because it is being terminated'
  assert.deepEqual(decideDeployment({ ...see(deployment()), failure }), { kind: 'wait', afterMs: BACKOFF, status: [] })
})

test('a paused Deployment says so and creates nothing', () => {
  const decision = decideDeployment(see(deployment({ paused: true })))
  assert.ok(decision.kind === 'act' && decision.changes[0]?.do === 'replace')
  assert.equal(as<Deployment>(decision.changes[0].object).status?.conditions?.[0]?.reason, 'DeploymentPaused')
})

test('percentages round up for surge and down for unavailable', () => {
  assert.equal(scaledValue('25%', 3, 'up'), 1)
  assert.equal(scaledValue('25%', 3, 'down'), 0)
  assert.equal(maxUnavailable(deployment({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } })), 1)
  assert.equal(
    maxUnavailable(deployment({ replicas: 2, strategy: { rollingUpdate: { maxSurge: 5, maxUnavailable: 5 } } })),
    2,
  )
})
