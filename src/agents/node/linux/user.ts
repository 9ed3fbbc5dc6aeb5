import { readImageFile } from '../image/store.ts'
import { resolveInLayers } from '../image/layered-path.ts'
import { SluiceError } from '../../../lib/error/sluice-error.ts'

/** Who a container runs as. */
export type ContainerUser = {
  readonly uid: number
  readonly gid: number
  readonly home: string
  /** Groups of the image's /etc/group that name the user. */
  readonly groups: readonly number[]
}

/**
 * Reads `USER` as images write it: `uid`, `name`, `uid:gid`, `name:group`.
 *
 * @throws SluiceError IMAGE_INVALID when a name is not in the image's /etc/passwd or /etc/group
 */
export function resolveUser(layers: readonly string[], user: string): ContainerUser {
  const [who = '', group] = user.split(':')
  const passwd = lines(layers, '/etc/passwd')
  const isNumber = /^\d{1,9}$/.test(who)
  const entry = passwd.find((fields) => (isNumber ? fields[2] === who : fields[0] === (who || 'root')))
  if (!isNumber && who !== '' && who !== 'root' && entry === undefined)
    throw new SluiceError('IMAGE_INVALID', `user "${who}" is not in the image's /etc/passwd`, {
      hint: 'write the number of the user',
    })
  const uid = isNumber ? Number(who) : Number(entry?.[2] ?? 0)
  return {
    uid,
    gid: groupOf(layers, group, Number(entry?.[3] ?? 0)),
    home: entry?.[5] || (uid === 0 ? '/root' : '/'),
    groups: groupsWith(layers, entry?.[0]),
  }
}

function groupsWith(layers: readonly string[], name: string | undefined): number[] {
  if (name === undefined) return []
  return lines(layers, '/etc/group').flatMap(([, , gid = '', members = '']) =>
    members.split(',').includes(name) && /^\d{1,9}$/.test(gid) ? [Number(gid)] : [],
  )
}

function groupOf(layers: readonly string[], group: string | undefined, fallback: number): number {
  if (group === undefined || group === '') return fallback
  if (/^\d{1,9}$/.test(group)) return Number(group)
  const entry = lines(layers, '/etc/group').find((fields) => fields[0] === group)
  if (entry === undefined) throw new SluiceError('IMAGE_INVALID', `group "${group}" is not in the image's /etc/group`)
  return Number(entry[2])
}

function lines(layers: readonly string[], path: string): string[][] {
  const text = readImageFile(resolveInLayers(layers, path).file) ?? ''
  return text.split('\n').map((line) => line.split(':'))
}
