import * as baseline from './baseline.ts'
import type { LevelVersion } from './levels.ts'
import * as restricted from './restricted.ts'
import type { CheckedPod, PodCheck, Violation } from './words.ts'

type Check = {
  readonly id: string
  /** From which minor version of Kubernetes on it is checked how. */
  readonly versions: readonly (readonly [since: number, check: PodCheck])[]
  /** The check of the lower level that it stands for. */
  readonly replaces?: string
}

/** In the order in which messages name them. @see k8s.io/pod-security-admission policy */
const BASELINE: readonly Check[] = [
  { id: 'appArmorProfile', versions: [[0, baseline.appArmorProfile]] },
  { id: 'capabilities', versions: [[0, baseline.capabilities]] },
  { id: 'hostNamespaces', versions: [[0, baseline.hostNamespaces]] },
  { id: 'hostPathVolumes', versions: [[0, baseline.hostPathVolumes]] },
  { id: 'hostPorts', versions: [[0, baseline.hostPorts]] },
  { id: 'hostsOfProbes', versions: [[34, baseline.hostsOfProbes]] },
  { id: 'privileged', versions: [[0, baseline.privileged]] },
  {
    id: 'procMount',
    versions: [
      [0, baseline.procMount],
      [35, baseline.procMountOfHostUsers],
    ],
  },
  {
    id: 'seLinuxOptions',
    versions: [
      [0, baseline.seLinuxOptions([])],
      [31, baseline.seLinuxOptions(['container_engine_t'])],
    ],
  },
  {
    id: 'seccompProfile',
    versions: [
      [0, baseline.seccompAnnotations],
      [19, baseline.seccompProfile],
    ],
  },
  { id: 'sysctls', versions: [0, 27, 29, 32, 37].map((minor) => [minor, baseline.sysctls(minor)] as const) },
  { id: 'windowsHostProcess', versions: [[0, baseline.windowsHostProcess]] },
]

const RESTRICTED: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    versions: [
      [8, restricted.allowPrivilegeEscalation],
      [25, restricted.notOfWindows(restricted.allowPrivilegeEscalation)],
    ],
  },
  {
    id: 'dropsCapabilities',
    versions: [
      [22, restricted.dropsCapabilities],
      [25, restricted.notOfWindows(restricted.dropsCapabilities)],
    ],
    replaces: 'capabilities',
  },
  { id: 'procMountOfAll', versions: [[35, baseline.procMount]], replaces: 'procMount' },
  { id: 'restrictedVolumes', versions: [[0, restricted.restrictedVolumes]], replaces: 'hostPathVolumes' },
  {
    id: 'runAsNonRoot',
    versions: [
      [0, restricted.runAsNonRoot],
      [35, restricted.ofHostUsers(restricted.runAsNonRoot)],
    ],
  },
  {
    id: 'runAsUser',
    versions: [
      [23, restricted.runAsUser],
      [35, restricted.ofHostUsers(restricted.runAsUser)],
    ],
  },
  {
    id: 'setsSeccomp',
    versions: [
      [19, restricted.setsSeccomp],
      [25, restricted.notOfWindows(restricted.setsSeccomp)],
    ],
    replaces: 'seccompProfile',
  },
]

/** What a level finds wrong with a pod. */
export function violationsOf({ level, minor = Infinity }: LevelVersion, pod: CheckedPod): Violation[] {
  if (level === 'privileged') return []
  const strict = level === 'restricted' ? RESTRICTED.filter(({ versions }) => (versions[0]?.[0] ?? 0) <= minor) : []
  const replaced = new Set(strict.map(({ replaces }) => replaces))
  return [...BASELINE.filter(({ id }) => !replaced.has(id)), ...strict].flatMap(({ versions }) => {
    const check = versions.findLast(([since]) => since <= minor)?.[1]
    return check?.(pod) ?? []
  })
}

/** All of it in one line, with details. */
export const detailsOf = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ')

/** All of it in one line, in short. */
export const reasonsOf = (violations: readonly Violation[]): string => violations.map(({ reason }) => reason).join(', ')
