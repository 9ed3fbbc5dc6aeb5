import { totalmem } from 'node:os'
import { join } from 'node:path'
import { describeError, SluiceError } from '../../../lib/error/sluice-error.ts'
import type { Bind, ContainerId, ContainerStart, Driver, Sandbox } from '../driver.ts'
import type { Image } from '../image/store.ts'
import type { NodeContext } from './context.ts'
import { capabilitiesOf } from './capabilities.ts'
import { commandOf, resolveEnv, wholeEnv } from './content/env.ts'
import { pullPolicyOf } from './decide.ts'
import { limitsOf, memoryVolumeBytes, podLimitsOf } from './limits.ts'
import { type KnownObjects, lookUp, lookUpVariables, textOf } from './lookups.ts'
import { securityOf, userOf } from './run-as.ts'
import { uidOf, type Container, type Pod } from './shapes.ts'
import { whyContainerUnsupported, whyUnsupported } from './unsupported.ts'
import { kernelNameOf, writeNetworkFiles } from './content/network-files.ts'
import { sysctlsOf } from './content/sysctls.ts'
import { innerPath, subPathOf } from './content/sub-path.ts'
import { messageBind } from './content/termination.ts'
import {
  bindsOf,
  type FindInner,
  inMountOrder,
  makeVolumes,
  readOnlyVolumes,
  readVolumeFile,
  renewVolumes,
} from './content/volumes.ts'

/** A pod's place: address and volumes, and what was read for it, by which its containers start again while the API server is away. */
export type Place = {
  readonly sandbox: Sandbox
  readonly volumes: ReadonlyMap<string, string>
  readonly known: KnownObjects
}

/** Makes (or finds again) the sandbox, the volumes and the files of a pod. @throws SluiceError POD_VOLUME, NODE_* */
export async function makePlace(context: NodeContext, pod: Pod, existing: Sandbox | undefined): Promise<Place> {
  const driver = context.driver()
  await refuseUnsupported(context, pod)
  const uid = uidOf(pod)
  const id = { uid, namespace: pod.metadata.namespace ?? 'default', name: kernelNameOf(pod) }
  const sandbox =
    existing ?? (await driver.createSandbox(id, { sysctls: sysctlsOf(pod), sharesProcesses: sharesProcesses(pod) }))
  const known: KnownObjects = new Map()
  const lookups = await lookUp(context, pod, known)
  const folder = driver.podFolder(uid)
  const volumes = makeVolumes(join(folder, 'volumes'), { pod, ip: sandbox.ip, hostIp: driver.hostIp, ...lookups })
  await mountMemories(driver, pod, volumes)
  await mountImages(driver, pod, volumes)
  if (driver.dns !== undefined) writeNetworkFiles(join(folder, 'etc'), { pod, dns: driver.dns, ...id, ip: sandbox.ip })
  return { sandbox, volumes, known }
}

/** @throws SluiceError POD_CONFIG naming what this node does not do; a runtime that was asked for by name is one of that */
async function refuseUnsupported({ client }: NodeContext, pod: Pod): Promise<void> {
  const why = whyUnsupported(pod)
  if (why !== undefined) throw new SluiceError('POD_CONFIG', why)
  const { runtimeClassName: name } = pod.spec
  if (name === undefined || name === '') return
  const found = await client.get({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', namespace: '', name })
  throw new SluiceError(
    'POD_CONFIG',
    found === undefined
      ? `RuntimeClass "${name}" not found`
      : `no runtime for "${String(found['handler'])}" is configured`,
    { retry: 'backoff' },
  )
}

/** Content of volumes as it is now, for containers that run: ConfigMaps, Secrets, labels and tokens change. Answers the faults of single volumes. */
export async function refreshVolumes(
  context: NodeContext,
  pod: Pod,
  { sandbox, known }: Pick<Place, 'sandbox' | 'known'>,
): Promise<readonly unknown[]> {
  const driver = context.driver()
  const lookups = await lookUp(context, pod, known)
  const folder = join(driver.podFolder(uidOf(pod)), 'volumes')
  return renewVolumes(folder, { pod, ip: sandbox.ip, hostIp: driver.hostIp, ...lookups })
}

async function mountMemories(driver: Driver, pod: Pod, volumes: ReadonlyMap<string, string>): Promise<void> {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const folder = volumes.get(name)
    if (emptyDir?.medium !== 'Memory' || folder === undefined) continue
    const sizeBytes = memoryVolumeBytes(pod, emptyDir.sizeLimit, totalmem())
    await driver.mountMemory(uidOf(pod), { folder, sizeBytes, group: pod.spec.securityContext?.fsGroup })
  }
}

/** Shows the images that volumes name, pulled as those of containers are. @throws SluiceError POD_VOLUME */
async function mountImages(driver: Driver, pod: Pod, volumes: ReadonlyMap<string, string>): Promise<void> {
  for (const { name, image } of pod.spec.volumes ?? []) {
    const folder = volumes.get(name)
    if (image === undefined || folder === undefined || driver.isSimulated) continue
    const { reference = '', pullPolicy } = image
    const policy = pullPolicyOf({ image: reference, ...(pullPolicy && { imagePullPolicy: pullPolicy }) })
    const found = policy === 'Always' ? undefined : await driver.findImage(reference)
    if (found === undefined && policy === 'Never')
      throw new SluiceError(
        'POD_VOLUME',
        `image "${reference}" of volume "${name}" is not present with pull policy of Never`,
      )
    const pulled = found ?? (await driver.pullImage(reference).catch((error: unknown) => notPulled(name, error)))
    await driver.mountImage(uidOf(pod), folder, pulled)
  }
}

function notPulled(volume: string, error: unknown): never {
  throw new SluiceError('POD_VOLUME', `the image of volume "${volume}" cannot be pulled: ${describeError(error)}`, {
    retry: 'backoff',
  })
}

/** Starts one container. @throws SluiceError POD_CONFIG, POD_VOLUME, IMAGE_INVALID, NODE_* */
export async function startContainer(
  context: NodeContext,
  pod: Pod,
  container: Container,
  image: Image,
  run: { readonly place: Place; readonly attempt: number; readonly joins?: ContainerId | undefined },
): Promise<void> {
  const driver = context.driver()
  const { sandbox, volumes, known } = run.place
  const uid = uidOf(pod)
  const security = securityOf(pod, container)
  const unsupported = whyContainerUnsupported(pod, container)
  if (unsupported !== undefined) throw new SluiceError('POD_CONFIG', unsupported)
  const lookups = await lookUpVariables(context, pod, container, known)
  const declared = resolveEnv(container, {
    pod,
    ip: sandbox.ip,
    hostIp: driver.hostIp,
    configMap: lookups.configMapText,
    secret: (name) => {
      const data = lookups.secret(name)
      return data && textOf(data)
    },
    file: (volume, path) => readVolumeFile(volumes, volume, path),
    services: context.services(pod.metadata.namespace ?? 'default'),
  })
  const env = wholeEnv(kernelNameOf(pod), image.config.Env ?? [], declared)
  const capabilities = capabilitiesOf(security.capabilities)
  const start: ContainerStart = {
    uid,
    container: container.name,
    attempt: run.attempt,
    pod: { uid, namespace: pod.metadata.namespace ?? 'default', name: pod.metadata.name },
    image,
    command: driver.isSimulated ? ['simulated'] : commandOf(container, image.config, declared),
    hasEnd: hasEnd(pod, container),
    env: [...env],
    workingDir: container.workingDir ?? image.config.WorkingDir ?? '/',
    user: userOf(pod, container, image.config.User ?? ''),
    groups: groupsOf(pod),
    hasImageGroups: pod.spec.securityContext?.supplementalGroupsPolicy !== 'Strict',
    ...(capabilities && { capabilities }),
    readOnlyRoot: security.readOnlyRootFilesystem === true,
    binds: inMountOrder([
      ...networkBinds(driver, uid),
      ...messageBind(driver, { uid, container: container.name, attempt: run.attempt }, container),
      ...(await bindsOf(container, volumes, readOnlyVolumes(pod), declared, innerOf(driver, pod))),
    ]),
    ...(run.joins === undefined ? {} : { joins: run.joins }),
    sharesProcesses: sharesProcesses(pod),
    stdin: container.stdin !== true ? 'none' : container.stdinOnce === true ? 'once' : 'open',
    tty: container.tty === true,
    ports: (container.ports ?? []).map(({ containerPort }) => containerPort),
    limits: limitsOf(pod, container, totalmem()),
    podLimits: podLimitsOf(pod),
  }
  await driver.start(start)
}

const sharesProcesses = ({ spec }: Pod): boolean => spec.shareProcessNamespace === true

/** What is in memory, or in an image, only the driver sees. */
function innerOf(driver: Driver, pod: Pod): FindInner {
  const hidden = (pod.spec.volumes ?? []).filter(({ emptyDir, image }) => emptyDir?.medium === 'Memory' || image)
  const names = new Set(hidden.map(({ name }) => name))
  return async (volume, root, inner) =>
    driver.findInner !== undefined && names.has(volume)
      ? driver.findInner(uidOf(pod), root, innerPath(inner, volume))
      : subPathOf(root, inner, volume)
}

function hasEnd(pod: Pod, container: Container): boolean {
  if (container.restartPolicy === 'Always') return false
  if (pod.spec.initContainers?.some(({ name }) => name === container.name)) return true
  return pod.metadata.ownerReferences?.some(({ kind }) => kind === 'Job') === true
}

function groupsOf({ spec }: Pod): number[] {
  const { fsGroup, supplementalGroups = [] } = spec.securityContext ?? {}
  return [...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])]
}

function networkBinds(driver: Driver, uid: string): Bind[] {
  if (driver.dns === undefined) return []
  return ['resolv.conf', 'hosts', 'hostname'].map((file) => ({
    source: join(driver.podFolder(uid), 'etc', file),
    target: `/etc/${file}`,
    readOnly: false,
  }))
}
