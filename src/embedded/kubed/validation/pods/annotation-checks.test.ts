import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../lib/kube/json.ts'
import { writeAppArmor } from '../../strategies/app-armor.ts'
import type { FieldError } from '../../fault.ts'
import type { Obj } from '../../object.ts'
import { warningsOfPod } from '../../warnings/pod.ts'
import { checkAnnotationChange, checkPodAnnotations, checkProfilesAgree } from './annotation-checks.ts'

const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/c'
const COST = 'controller.kubernetes.io/pod-deletion-cost'
const SECCOMP = 'container.seccomp.security.alpha.kubernetes.io/c'
const MIRROR = 'kubernetes.io/config.mirror'

const pod = (annotations: Record<string, string>, context: JsonObject = {}): Obj => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', annotations },
  spec: { containers: [{ name: 'c', securityContext: context }] },
})
const texts = (errors: readonly FieldError[]): string[] => errors.map(({ field, message }) => `${field}: ${message}`)

const cases: { it: string; annotations: Record<string, string>; want: string[] }[] = [
  { it: 'takes costs of 32 bits', annotations: { [COST]: '-2147483648' }, want: [] },
  ...['2147483648', '+1', '01', '1.5', ''].map((cost) => ({
    it: `takes no cost ${JSON.stringify(cost)}`,
    annotations: { [COST]: cost },
    want: [`metadata.annotations[${COST}]: Invalid value: ${JSON.stringify(cost)}: must be a 32bit integer`],
  })),
  {
    it: 'wants a node of a mirror pod',
    annotations: { [MIRROR]: 'x' },
    want: [
      `metadata.annotations[${MIRROR}]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set`,
    ],
  },
  {
    it: 'knows profiles of seccomp by dots, not by brackets',
    annotations: { [SECCOMP]: 'odd' },
    want: [`metadata.annotations.${SECCOMP}: Invalid value: "odd": must be a valid seccomp profile`],
  },
  {
    it: 'looks for the container of an AppArmor profile',
    annotations: { 'container.apparmor.security.beta.kubernetes.io/d': 'odd' },
    want: [
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: "d": container not found',
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: "odd": invalid AppArmor profile name: "odd"',
    ],
  },
]
for (const { it, annotations, want } of cases)
  test(`validation of annotations of pods ${it}`, () => {
    const errors: FieldError[] = []
    checkPodAnnotations(pod(annotations), 'metadata.annotations', errors)
    assert.deepEqual(texts(errors), want)
  })

test('who runs a pod is not said anew by annotations', () => {
  const errors: FieldError[] = []
  checkAnnotationChange(pod({ [APP_ARMOR]: 'unconfined' }), pod({ [MIRROR]: 'x' }), errors)
  assert.deepEqual(texts(errors), [
    `metadata.annotations[${MIRROR}]: Forbidden: may not remove or update mirror pod annotation`,
    `metadata.annotations[${APP_ARMOR}]: Forbidden: may not add AppArmor annotations`,
  ])
})

test('profiles in annotations and fields must agree', () => {
  const errors: FieldError[] = []
  const context = {
    seccompProfile: { type: 'Unconfined' },
    appArmorProfile: { type: 'Localhost', localhostProfile: 'a' },
  }
  checkProfilesAgree(pod({ [SECCOMP]: 'runtime/default', [APP_ARMOR]: 'localhost/b' }, context), 'spec', errors)
  assert.deepEqual(texts(errors), [
    'spec.containers[0].securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match',
    'spec.containers[0].securityContext.appArmorProfile.localhostProfile: Forbidden: apparmor profile in annotation and field must match',
  ])
})

test('an AppArmor annotation of a pod becomes a field, that of a template is told of', () => {
  const why = `metadata.annotations[${APP_ARMOR}]: deprecated since v1.30; use the "appArmorProfile" field instead`
  const made = pod({ [APP_ARMOR]: 'localhost/a' })
  assert.deepEqual(writeAppArmor(made), [why])
  assert.deepEqual(made.spec, {
    containers: [{ name: 'c', securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'a' } } }],
  })
  assert.deepEqual(warningsOfPod(pod({ [APP_ARMOR]: 'localhost/a' }), 'spec.template'), [`spec.template.${why}`])
})
