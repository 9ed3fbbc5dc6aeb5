import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../lib/kube/json.ts'
import type { FieldError } from '../../fault.ts'
import { detailsOf, violationsOf } from './checks.ts'
import { type Level, podPolicyOf, text } from './levels.ts'

const GOOD: JsonObject = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [{ name: 'c', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
}
const container = (more: JsonObject): JsonObject => ({ containers: [{ name: 'c', ...more }] })

/** What the real API server 1.37.2 answered. */
const cases: { it: string; spec: JsonObject; level?: Level; minor?: number; annotations?: JsonObject; want: string }[] =
  [
    {
      it: 'lets everything through where everything is allowed',
      level: 'privileged',
      spec: { hostPID: true },
      want: '',
    },
    { it: 'lets best practice through', spec: GOOD, want: '' },
    { it: 'lets a plain pod through on the middle level', level: 'baseline', spec: container({}), want: '' },
    {
      it: 'asks a plain pod for best practice',
      spec: container({}),
      want: 'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    },
    {
      it: 'checks as an older version did',
      minor: 18,
      annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' },
      spec: {
        ...container({ securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }),
        securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem' }], seLinuxOptions: { type: 'container_engine_t' } },
        volumes: [{ name: 'v', hostPath: { path: '/x' } }],
      },
      want: 'non-default capabilities (container "c" must not include "SYS_ADMIN" in securityContext.capabilities.add), seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "container_engine_t"), seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined"), forbidden sysctls (net.ipv4.tcp_rmem), allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), restricted volume types (volume "v" uses restricted volume type "hostPath"), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
    },
    {
      it: 'names all that reaches the host',
      level: 'baseline',
      spec: {
        ...container({ ports: [{ hostPort: 80 }], securityContext: { privileged: true } }),
        hostNetwork: true,
        hostPID: true,
        volumes: [{ name: 'v', hostPath: { path: '/x' } }],
      },
      want: 'host namespaces (hostNetwork=true, hostPID=true), hostPath volumes (volume "v"), hostPort (container "c" uses hostPort 80), privileged (container "c" must not set securityContext.privileged=true)',
    },
  ]

for (const { it, spec, level = 'restricted', minor, annotations = {}, want } of cases)
  test(`pod security ${it}`, () => assert.equal(detailsOf(violationsOf({ level, minor }, { annotations, spec })), want))

const PREFIX = 'pod-security.kubernetes.io/'
const labelled = (labels: Record<string, string>): JsonObject =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [`${PREFIX}${name}`, value]))

test('pod security warns of what it refuses, unless the namespace says otherwise', () => {
  const { enforce, warn } = podPolicyOf(labelled({ enforce: 'restricted', 'enforce-version': 'v1.30' }))
  assert.deepEqual([text(enforce), text(warn)], ['restricted:v1.30', 'restricted:v1.30'])
  assert.equal(text(podPolicyOf(labelled({ enforce: 'restricted', warn: 'baseline' })).warn), 'baseline:latest')
})

test('pod security names labels that are no level', () => {
  const errors: FieldError[] = []
  podPolicyOf(labelled({ enforce: 'foo', 'warn-version': 'v2' }), errors)
  assert.deepEqual(
    errors.map(({ field, message }) => `${field}: ${message}`),
    [
      `metadata.labels[${PREFIX}enforce]: Invalid value: "foo": must be one of privileged, baseline, restricted`,
      `metadata.labels[${PREFIX}warn-version]: Invalid value: "v2": must be "latest" or "v1.x"`,
    ],
  )
})
