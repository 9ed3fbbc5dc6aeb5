import assert from 'node:assert/strict'
import { test } from 'node:test'
import { USUAL_CAPABILITIES } from '../pod/capabilities.ts'
import { enterWords, type Ids } from './enter.ts'

const ids: readonly { readonly it: string; readonly ids: Ids; readonly want: string }[] = [
  { it: 'root', ids: ['', '', ''], want: '/unshare --root=. --wd=/ -- ' },
  { it: 'a user', ids: ['1000', '1001', ''], want: '/unshare --root=. --wd=/ --setuid=1000 --setgid=1001 -- ' },
  { it: 'a user with groups', ids: ['1000', '1001', '7,8'], want: '/chroot --userspec=+1000:+1001 --groups=7,8 . ' },
  { it: 'root with groups', ids: ['', '', '7'], want: '/chroot --userspec=+0:+0 --groups=7 . ' },
]
for (const { it, ids: given, want } of ids)
  test(`before powers are laid down the machine is out of sight, after that no file of the container is run but the program (${it})`, () => {
    const text = enterWords('/proc/self/fd/9', given, ['-C', '/', '--', 'A=1', 'true']).join(' ')
    const [entered, confined, inside, ...program] = text.split('/ld --library-path ')
    assert.equal(entered, 'nsenter --root=/proc/self/fd/9/.sluice --wd=/proc/self/fd/9 -- ')
    assert.match(
      confined ?? '',
      /^\/ \/setpriv --no-new-privs --inh-caps -all --bounding-set -all,\+chown,(\+[a-z_]+,?)+ -- $/,
    )
    assert.doesNotMatch(confined ?? '', /sys_admin|sys_ptrace|mknod|net_raw/)
    assert.equal(inside, `/ ${want}/.sluice`)
    assert.deepEqual(program, ['/.sluice /.sluice/env -i -C / -- A=1 true'])
  })

test('what the way in needs itself is laid down inside, before the program is anybody', () => {
  const text = enterWords('.', ['1000', '1001', '7'], ['--', 'true'], ['net_bind_service']).join(' ')
  const [, confined, chroot, inside, env] = text.split('/ld --library-path ')
  assert.match(confined ?? '', /--bounding-set -all,\+chown,\S+,\+setfcap -- \S*$/)
  assert.equal(chroot, '/ /unshare --root=. --wd=/ -- /.sluice')
  const ids = '--reuid 1000 --regid 1001 --groups 7'
  assert.equal(inside, `/.sluice /.sluice/setpriv ${ids} --bounding-set -all,+net_bind_service -- /.sluice`)
  assert.equal(env, '/.sluice /.sluice/env -i -- true')
})

test('what is had besides is had from the beginning', () => {
  const text = enterWords('.', ['', '', ''], ['--', 'true'], [...USUAL_CAPABILITIES, 'net_raw']).join(' ')
  assert.match(text, /\+setfcap,\+net_raw -- /)
  assert.equal(text.split('setpriv').length, 2)
})
