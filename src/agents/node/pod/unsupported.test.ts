import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { definition } from '../../../lib/kube-schema/builtin.ts'
import type { Container, Pod, PodSpec } from './shapes.ts'
import { whatIsNotKept, whyContainerUnsupported, whyNoAppArmor, whyUnsupported } from './unsupported.ts'

const main: Container = { name: 'main', image: 'i' }
const pod = (spec: object): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [main], ...spec } as PodSpec,
})
const not = (what: string, why: string): string => `${what} is not supported by this node: ${why}`

const ofPods: { it: string; spec: object; want: string | undefined }[] = [
  { it: 'nothing special', spec: { hostUsers: true, hostPID: false, resourceClaims: [] }, want: undefined },
  { it: 'memory for a volume', spec: { volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }] }, want: undefined },
  { it: 'the network', spec: { hostNetwork: true }, want: not('hostNetwork', 'its pods have a network of their own') },
  {
    it: 'the processes',
    spec: { hostPID: true },
    want: not('hostPID', 'its containers see no processes but their own'),
  },
  {
    it: 'the shared memory',
    spec: { hostIPC: true },
    want: not('hostIPC', 'its pods have shared memory of their own'),
  },
  {
    it: 'users of its own',
    spec: { hostUsers: false },
    want: not('hostUsers: false', "its pods share one user namespace, which is not the machine's"),
  },
  { it: 'a device', spec: { resourceClaims: [{}] }, want: not('resourceClaims', 'it has no devices to give') },
  {
    it: 'large pages for a volume',
    spec: { volumes: [{ name: 'v', emptyDir: { medium: 'HugePages-2Mi' } }] },
    want: not('emptyDir.medium: HugePages-2Mi', 'see volume "v"'),
  },
]
for (const { it, spec, want } of ofPods)
  test(`a pod that asks for ${it} is ${want === undefined ? 'run' : 'refused'}`, () =>
    assert.equal(whyUnsupported(pod(spec)), want))

const mount = (mountPropagation: string): object => ({
  volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation }],
})
const ofContainers: { it: string; container?: object; securityContext?: object; want: string | undefined }[] = [
  { it: 'nothing special', container: { ...mount('None'), securityContext: { seLinuxOptions: {} } }, want: undefined },
  {
    it: 'a filter of the runtime',
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    want: undefined,
  },
  {
    it: 'a filter of the machine',
    securityContext: { seccompProfile: { type: 'Localhost' } },
    want: not('seccompProfile: Localhost', 'it filters no system calls'),
  },
  {
    it: 'power over the machine',
    container: { securityContext: { privileged: true } },
    want: not('privileged', 'its containers have no power over the machine'),
  },
  {
    it: 'all of /proc',
    container: { securityContext: { procMount: 'Unmasked' } },
    want: not('procMount: Unmasked', 'parts of /proc are hidden in its containers'),
  },
  {
    it: 'a block device',
    container: { volumeDevices: [{}] },
    want: not('volumeDevices', 'it has no block devices to give'),
  },
  {
    it: 'a claimed device',
    container: { resources: { claims: [{}] } },
    want: not('resources.claims', 'it has no devices to give'),
  },
  {
    it: 'later mounts of the machine',
    container: mount('HostToContainer'),
    want: not('mountPropagation: HostToContainer', 'see the mount of volume "v"'),
  },
]
for (const { it, container, securityContext, want } of ofContainers)
  test(`a container that asks for ${it} is ${want === undefined ? 'run' : 'refused'}`, () =>
    assert.equal(whyContainerUnsupported(pod({ securityContext }), { ...main, ...container } as Container), want))

test('labels of SELinux are taken as on a machine without it, and told', () => {
  const asks = (seLinuxOptions: object): string | undefined =>
    whatIsNotKept(pod({ securityContext: { seLinuxOptions } }), main)
  assert.equal(asks({}), undefined)
  assert.equal(asks({ level: 's0:c0,c1' }), 'seLinuxOptions label nothing on this node')
})

test('a profile of AppArmor is refused as by a machine that has none', () => {
  const why = 'Cannot enforce AppArmor: AppArmor is not enabled on the host'
  const profile = (type: string): object => ({ securityContext: { appArmorProfile: { type } } })
  assert.equal(whyNoAppArmor(pod({})), undefined)
  assert.equal(whyNoAppArmor(pod(profile('Unconfined'))), undefined)
  assert.equal(whyNoAppArmor(pod(profile('RuntimeDefault'))), why)
  assert.equal(whyNoAppArmor(pod({ initContainers: [{ ...main, ...profile('Localhost') }] })), why)
  // what a container says itself counts before what its pod says for all
  const freed = { ...profile('RuntimeDefault'), containers: [{ ...main, ...profile('Unconfined') }] }
  assert.equal(whyNoAppArmor(pod(freed)), undefined)
})

/**
 * Where each field of a pod is looked after: `node` by this node; `others` by the API server, the scheduler or the controllers; `windows` by nodes of that
 * system alone; `gated` by nobody, as the API server of this version of Kubernetes keeps it from being stored.
 */
const FIELDS: Readonly<Record<string, Partial<Record<'node' | 'others' | 'windows' | 'gated', string>>>> = {
  PodSpec: {
    node:
      'activeDeadlineSeconds affinity containers dnsConfig dnsPolicy enableServiceLinks ephemeralContainers hostAliases hostIPC hostNetwork hostPID ' +
      'hostUsers hostname hostnameOverride imagePullSecrets initContainers nodeName nodeSelector os priority priorityClassName readinessGates ' +
      'resourceClaims resources restartPolicy runtimeClassName securityContext serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain ' +
      'terminationGracePeriodSeconds tolerations volumes',
    others:
      'automountServiceAccountToken overhead preemptionPolicy schedulerName schedulingGates serviceAccount topologySpreadConstraints',
    gated: 'evictionResponders schedulingGroup',
  },
  PodSecurityContext: {
    // nothing but an own folder is given to a group, whatever its policy is, and nothing is labelled
    node:
      'appArmorProfile fsGroup runAsGroup runAsNonRoot runAsUser seLinuxOptions seccompProfile supplementalGroups ' +
      'supplementalGroupsPolicy sysctls',
    others: 'fsGroupChangePolicy seLinuxChangePolicy',
    windows: 'windowsOptions',
  },
  Container: {
    node:
      'args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resizePolicy resources restartPolicy ' +
      'restartPolicyRules securityContext startupProbe stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices ' +
      'volumeMounts workingDir',
  },
  SecurityContext: {
    node: 'appArmorProfile capabilities privileged procMount readOnlyRootFilesystem runAsGroup runAsNonRoot runAsUser seLinuxOptions seccompProfile',
    // programs never get new privileges here, also where they may (docs/adr/0259)
    others: 'allowPrivilegeEscalation',
    windows: 'windowsOptions',
  },
  ContainerPort: { node: 'containerPort hostIP hostPort name protocol' },
  ResourceRequirements: { node: 'claims limits requests' },
  VolumeMount: {
    node: 'mountPath mountPropagation name readOnly recursiveReadOnly subPath subPathExpr',
    gated: 'bindMountOptions',
  },
  EmptyDirVolumeSource: { node: 'medium sizeLimit', gated: 'mode' },
  HostPathVolumeSource: { node: 'path type' },
  ImageVolumeSource: { node: 'pullPolicy reference' },
  PersistentVolumeClaimVolumeSource: { node: 'claimName readOnly' },
  VolumeProjection: { node: 'clusterTrustBundle configMap downwardAPI podCertificate secret serviceAccountToken' },
  Lifecycle: { node: 'postStart preStop stopSignal' },
  LifecycleHandler: { node: 'exec httpGet sleep tcpSocket' },
  Probe: {
    node: 'exec failureThreshold grpc httpGet initialDelaySeconds periodSeconds successThreshold tcpSocket terminationGracePeriodSeconds timeoutSeconds',
  },
  HTTPGetAction: { node: 'host httpHeaders path port scheme', gated: 'protocol' },
  EnvVarSource: { node: 'configMapKeyRef fieldRef fileKeyRef resourceFieldRef secretKeyRef' },
  PodDNSConfig: { node: 'nameservers options searches' },
}

test('every field of a pod is looked after by somebody, and those of the node are read by it', () => {
  const source = sourceBelow(resolve('src/agents/node'))
  for (const [type, classes] of Object.entries(FIELDS)) {
    const known = Object.values(classes).flatMap((names) => names.split(' '))
    const declared = Object.keys(definition(`io.k8s.api.core.v1.${type}`)?.properties ?? {})
    assert.deepEqual(known.toSorted(), declared.toSorted(), type)
    const unread = (classes.node ?? '').split(' ').filter((name) => !new RegExp(`\\b${name}\\b`).test(source))
    assert.deepEqual(unread, [], `${type}: named nowhere in the node`)
  }
})

function sourceBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
}
