import { SluiceError } from '../../../lib/error/sluice-error.ts'

/** What a pod says of the powers of a container. */
export type Capabilities = { readonly add?: readonly string[]; readonly drop?: readonly string[] }

/** What programs have of root's powers when nothing is said, by the kernel's names in small letters. */
export const USUAL_CAPABILITIES: readonly string[] = [
  ...['chown', 'dac_override', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setpcap'],
  ...['net_bind_service', 'sys_chroot', 'setfcap'],
]

/** What may be had besides: it reaches no further than the pod, or has no effect there. */
const ALSO = new Set(['net_raw', 'net_admin', 'mknod', 'audit_write', 'ipc_lock', 'sys_nice'])

/**
 * The powers of a container that wants others than the usual ones: those, with what it adds, without what it drops. `ALL` is dropped first.
 *
 * @returns undefined when it wants the usual ones
 * @throws SluiceError POD_CONFIG naming a power that would lead out of the pod
 */
export function capabilitiesOf(wanted: Capabilities | undefined): readonly string[] | undefined {
  const names = (list: readonly string[] = []): string[] => list.map((name) => name.toLowerCase().replace(/^cap_/, ''))
  const [add, drop] = [names(wanted?.add), names(wanted?.drop)]
  if (add.length + drop.length === 0) return undefined
  const more = add.flatMap((name) => (name === 'all' ? [...USUAL_CAPABILITIES, ...ALSO] : [name]))
  const beyond = more.find((name) => !ALSO.has(name) && !USUAL_CAPABILITIES.includes(name))
  if (beyond !== undefined)
    throw new SluiceError('POD_CONFIG', `capability ${beyond.toUpperCase()} is not supported by this node`, {
      hint: `it gives besides the usual ones: ${[...ALSO].join(', ').toUpperCase()}`,
    })
  const kept = drop.includes('all') ? [] : USUAL_CAPABILITIES
  return [...new Set([...kept, ...more])].filter((name) => !drop.includes(name))
}
