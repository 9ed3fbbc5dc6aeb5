import assert from 'node:assert/strict'
import { test } from 'node:test'
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
