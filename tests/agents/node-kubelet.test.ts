// What a pod asks of the node besides running: powers, users, hooks, sidecars, disk. As an ordinary user and, when the tests run as root, as root.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import http from 'node:http'
import { after, before, test } from 'node:test'
import type { Container, PodSpec, PodStatus } from '../../src/agents/node/pod/shapes.ts'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { packTar } from '../../src/lib/tar/write.ts'
import { nodeLayer, pushImage } from '../support/node-image.ts'
import { type NodeUser, type NodeWorld, startNodeWorld, whyNoNamespaces } from '../support/node-world.ts'
import { until } from '../support/wait.ts'

const IMAGE = 'registry.sluice.local/demo/node:1'

/** Says in its last words what it may do and who it is, once its hook has said so, too. */
const CONFESS = `const fs = require('node:fs')
const own = () => fs.readFileSync('/proc/self/status', 'utf8')
const of = (text, name) => new RegExp('^' + name + ':\\\\s*(.*?)\\\\s*$', 'm').exec(text)[1]
if (process.argv[1] === 'hook') fs.writeFileSync('/tmp/hook', of(own(), 'CapBnd'))
else setInterval(() => {
  if (!fs.existsSync('/tmp/hook') || fs.readFileSync('/tmp/hook', 'utf8') === '') return
  const [bound, effective, groups] = ['CapBnd', 'CapEff', 'Groups'].map((name) => of(own(), name))
  const said = { bound, effective, groups, uid: process.getuid(), hook: fs.readFileSync('/tmp/hook', 'utf8') }
  fs.writeFileSync('/dev/termination-log', JSON.stringify(said))
  process.exit(0)
}, 20)`
const confess: Partial<Container> = {
  command: ['node', '-e', CONFESS],
  lifecycle: { postStart: { exec: { command: ['node', '-e', CONFESS, 'hook'] } } },
}

const users: readonly NodeUser[] = process.getuid?.() === 0 ? ['ordinary', 'root'] : ['ordinary']
for (const user of users) {
  const why = whyNoNamespaces(user)
  const skip = why === undefined ? {} : { skip: `pods cannot run by namespaces here: ${why}` }
  let world: NodeWorld

  before(async () => {
    if (why !== undefined) return
    world = await startNodeWorld({ user, driver: 'linux' })
    const files = packTar([
      { path: 'tmp', type: 'directory', mode: 0o1777 },
      { path: 'part', type: 'directory' },
      { path: 'part/file', type: 'file', content: Buffer.alloc(0) },
      { path: 'etc', type: 'directory' },
      { path: 'etc/passwd', type: 'file', content: Buffer.from('root:x:0:0::/root:/x\nweb:x:1000:1000::/:/x\n') },
      { path: 'etc/group', type: 'file', content: Buffer.from('root:x:0:\nweb:x:1000:\nlog:x:7:web\n') },
    ])
    await pushImage(world.registry, 'demo/node', '1', [nodeLayer(), files], {})
  })
  after(async () => world?.close())

  const run = async (name: string, spec: Omit<PodSpec, 'containers'> & { main: Partial<Container> }): Promise<void> => {
    const { main, ...rest } = spec
    const containers = [{ name: 'main', image: IMAGE, ...main }]
    const whole = { nodeName: 'node-1', restartPolicy: 'Never', terminationGracePeriodSeconds: 1, ...rest, containers }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: whole }
    await world.client.create(pod, { fieldManager: 'test' })
  }
  const statusOf = async (name: string): Promise<PodStatus> =>
    ((await world.pod(name)) as Shown | undefined)?.status ?? {}
  const ended = async (name: string): Promise<PodStatus> => {
    await until(`end of ${name}`, async () => /Succeeded|Failed/.test((await statusOf(name)).phase ?? ''))
    return statusOf(name)
  }
  const said = async (name: string): Promise<Record<string, unknown>> => {
    const { containerStatuses = [] } = await ended(name)
    return JSON.parse(containerStatuses[0]?.state.terminated?.message ?? '{}') as Record<string, unknown>
  }

  test(`a container has the powers that it asks for, and so have its hooks (${user})`, skip, async () => {
    await run('usual', { main: confess })
    await run('few', {
      main: { ...confess, securityContext: { capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } } },
    })
    await run('beyond', { main: { ...confess, securityContext: { capabilities: { add: ['SYS_ADMIN'] } } } })
    const usual = await said('usual')
    assert.match(String(usual['bound']), /5fb$/)
    assert.equal(usual['hook'], usual['bound'])
    const few = await said('few')
    assert.match(String(few['bound']), /^0+400$/)
    assert.equal(few['effective'], few['bound'])
    assert.equal(few['hook'], few['bound'])
    await until('refusal', async () =>
      /capability SYS_ADMIN is not supported/.test(
        (await statusOf('beyond')).containerStatuses?.[0]?.state.waiting?.message ?? '',
      ),
    )
  })

  test(`a user has the groups of the pod and of the image, and powers of nobody (${user})`, skip, async () => {
    const securityContext = { runAsUser: 1000, supplementalGroups: [9] }
    const capabilities = { drop: ['ALL'] }
    await run('groups', { main: confess, securityContext })
    await run('strict', {
      main: { ...confess, securityContext: { capabilities } },
      securityContext: { ...securityContext, supplementalGroupsPolicy: 'Strict' },
    })
    const [merged, strict] = [await said('groups'), await said('strict')]
    assert.match(String(strict['bound']), /^0+$/)
    if (user === 'ordinary') return
    assert.deepEqual([merged['uid'], merged['groups'], merged['effective']], [1000, '7 9', '0000000000000000'])
    assert.deepEqual([strict['uid'], strict['groups']], [1000, '9'])
  })

  test(`mounts below others, parts of volumes and the folder of a program are there (${user})`, skip, async () => {
    const look = `const fs = require('node:fs')
      for (const path of ['/a/b/deep', '/memory/own', '/shared/own']) fs.writeFileSync(path, '')
      fs.writeFileSync('/dev/termination-log', JSON.stringify({ deep: fs.readdirSync('/a/b'), cwd: process.cwd(), of: fs.readdirSync('/image') }))`
    const mounts = [
      ['inner', '/a/b'],
      ['outer', '/a'],
      ['memory', '/memory', 'x/y'],
      ['outer', '/shared', 'of/others'],
      ['image', '/image', 'part'],
    ].map(([name = '', mountPath = '', subPath]) => ({ name, mountPath, ...(subPath && { subPath }) }))
    await run('mounts', {
      securityContext: { runAsUser: 1000, runAsGroup: 1000 },
      main: { command: ['node', '-e', look], workingDir: '/shared/made', volumeMounts: mounts },
      volumes: [
        ...['inner', 'outer'].map((name) => ({ name, emptyDir: {} })),
        { name: 'memory', emptyDir: { medium: 'Memory' } },
        { name: 'image', image: { reference: IMAGE } },
      ],
    })
    assert.deepEqual(await said('mounts'), { deep: ['deep'], cwd: '/shared/made', of: ['file'] })
    await run('no-part', {
      main: { volumeMounts: [{ name: 'image', mountPath: '/image', subPath: 'none' }] },
      volumes: [{ name: 'image', image: { reference: IMAGE } }],
    })
    const waiting = async () => (await statusOf('no-part')).containerStatuses?.[0]?.state.waiting?.message ?? ''
    await until('refusal', async () => (await waiting()) === 'subPath "none": there is no none')
    await world.client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'no-part' })
  })

  test(`a pod that fills its folder or its root is evicted, and says why (${user})`, skip, async () => {
    const fill = (path: string): string[] => [
      'node',
      '-e',
      `require('fs').writeFileSync('${path}', Buffer.alloc(3e6)); setInterval(() => {}, 1000)`,
    ]
    const volumes = [{ name: 'cache', emptyDir: { sizeLimit: '1Mi' } }]
    await run('folder', {
      main: { command: fill('/cache/x'), volumeMounts: [{ name: 'cache', mountPath: '/cache' }] },
      volumes,
    })
    await run('root', { main: { command: fill('/tmp/x'), resources: { limits: { 'ephemeral-storage': '2Mi' } } } })
    const [folder, root] = [await ended('folder'), await ended('root')]
    assert.deepEqual([folder.phase, folder.reason], ['Failed', 'Evicted'])
    assert.equal(folder.message, 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". ')
    assert.equal(folder.containerStatuses?.[0]?.state.terminated?.exitCode, 137)
    assert.equal(root.message, 'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ')
  })

  test(`a pull secret opens a registry, and only for the pods that name it (${user})`, skip, async (t) => {
    const registry = await serveGuarded(world.registry, 'me:secret')
    t.after(() => registry.close())
    const auths = { [registry.host]: { auth: Buffer.from('me:secret').toString('base64') } }
    await world.client.create(
      {
        ...{ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/dockerconfigjson' },
        metadata: { name: 'login', namespace: 'default' },
        data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
      },
      { fieldManager: 'test' },
    )
    const main = { image: `${registry.host}/demo/node:1`, command: ['node', '-e', ''], imagePullPolicy: 'Always' }
    await run('stranger', { main, imagePullSecrets: [{ name: 'missing' }] })
    await run('friend', { main, imagePullSecrets: [{ name: 'login' }] })
    assert.equal((await ended('friend')).phase, 'Succeeded')
    await until('refusal', async () =>
      /ImagePull/.test((await statusOf('stranger')).containerStatuses?.[0]?.state.waiting?.reason ?? ''),
    )
    await until('event', async () => {
      const { items } = await world.client.list({ apiVersion: 'v1', kind: 'Event', namespace: 'default' })
      return items.some((event) => event['reason'] === 'FailedToRetrieveImagePullSecret')
    })
  })

  test(
    `who is not root listens on any port of the pod, unless the pod says from which on (${user})`,
    skip,
    async () => {
      const tell = `const { readFileSync, writeFileSync } = require('node:fs')
      const from = readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').trim()
      const end = (how) => { writeFileSync('/dev/termination-log', from + ' ' + how); process.exit(0) }
      require('node:net').createServer().once('error', ({ code }) => end(code)).listen(80, () => end('listens'))`
      const main = {
        command: ['node', '-e', tell],
        securityContext: { runAsUser: 1000, capabilities: { drop: ['ALL'] } },
      }
      const sysctls = [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '81' }]
      await run('low', { main })
      await run('bounded', { main, securityContext: { sysctls } })
      const said = (status: PodStatus) => status.containerStatuses?.[0]?.state.terminated?.message
      assert.equal(said(await ended('low')), '0 listens')
      assert.equal(said(await ended('bounded')), '81 EACCES')
    },
  )

  test(`a pod that fails again and again, is late or asks for too much is told of (${user})`, skip, async () => {
    await run('crash', { main: { command: ['node', '-e', 'process.exit(1)'] }, restartPolicy: 'Always' })
    await run('late', { main: { command: ['node', '-e', 'setInterval(() => {}, 1000)'] }, activeDeadlineSeconds: 1 })
    const sysctls = [{ name: 'kernel.msgmax', value: '1' }]
    await run('greedy', { main: { command: ['node', '-e', ''] }, securityContext: { sysctls } })
    const [late, greedy] = [await ended('late'), await ended('greedy')]
    assert.deepEqual([late.phase, late.reason], ['Failed', 'DeadlineExceeded'])
    assert.equal(greedy.message, 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted')
    const uid = (await world.pod('crash'))?.metadata.uid
    const wanted = new Map([
      ['BackOff', `Back-off restarting failed container main in pod crash_default(${uid})`],
      ['DeadlineExceeded', 'Pod was active on the node longer than the specified deadline'],
      ['SysctlForbidden', 'forbidden sysctl: "kernel.msgmax" not allowlisted'],
    ])
    await until('events', async () => {
      const { items } = await world.client.list({ apiVersion: 'v1', kind: 'Event', namespace: 'default' })
      const isTold = ([reason, message]: readonly [string, string]): boolean =>
        items.some((event) => event['reason'] === reason && event['message'] === message)
      return [...wanted].every(isTold)
    })
    await world.client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'crash' })
  })

  test(`a pod with a sidecar is over when its containers are and the sidecar was ended (${user})`, skip, async () => {
    const volumeMounts = [{ name: 'both', mountPath: '/both' }]
    const wait =
      "process.on('SIGTERM', () => process.exit(3)); require('fs').writeFileSync('/both/up', ''); setInterval(() => {}, 1000)"
    const follow = "setInterval(() => require('fs').existsSync('/both/up') && process.exit(0), 20)"
    const sidecar: Container = { name: 'side', image: IMAGE, command: ['node', '-e', wait], restartPolicy: 'Always' }
    await run('sided', {
      main: { command: ['node', '-e', follow], volumeMounts },
      initContainers: [{ ...sidecar, volumeMounts }],
      volumes: [{ name: 'both', emptyDir: {} }],
    })
    const status = await ended('sided')
    assert.equal(status.phase, 'Succeeded')
    assert.equal(status.initContainerStatuses?.[0]?.state.terminated?.exitCode, 3)
  })

  test(
    `containers of a pod see each other's processes where it wants that, and leave none (${user})`,
    skip,
    async () => {
      const name = `seen-${user}`
      const stay = (title: string): string[] => ['node', '-e', 'setInterval(() => {}, 1000)', title]
      const look = `const fs = require('node:fs')
const all = fs.readdirSync('/proc').filter((pid) => /^\\d+$/.test(pid))
const words = (pid) => { try { return fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8') } catch { return '' } }
if (!all.some((pid) => words(pid).includes('${name}-side'))) process.exit(1)
// nobody in the pod ends its first process, or sees the machine by it
process.kill(1, 'SIGKILL')
try { fs.readdirSync('/proc/1/root'); process.exit(2) } catch {}
require('node:child_process').spawn('node', ${JSON.stringify(stay(`${name}-left`).slice(1))}, { detached: true, stdio: 'ignore' })
setTimeout(() => process.exit(3), 300)`
      await run(name, {
        shareProcessNamespace: true,
        main: { command: ['node', '-e', look] },
        restartPolicy: 'OnFailure',
        initContainers: [{ name: 'side', image: IMAGE, command: stay(`${name}-side`), restartPolicy: 'Always' }],
      })
      const code = async (): Promise<number | undefined> =>
        (await statusOf(name)).containerStatuses?.[0]?.lastState.terminated?.exitCode
      await until('an end', async () => (await code()) !== undefined)
      assert.equal(await code(), 3)
      await until(
        'no process that was left',
        async () => !commandLines().some((line) => line.endsWith(`${name}-left\0`)),
      )
      assert.equal((await statusOf(name)).initContainerStatuses?.[0]?.restartCount, 0)
      await world.client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name })
    },
  )
}

type Shown = KubeObject & { readonly status?: PodStatus }

function commandLines(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')]
    } catch {
      return [] // no process, or one that has just ended
    }
  })
}

/** The registry behind a door that opens to one login. */
async function serveGuarded(
  host: string,
  login: string,
): Promise<{ readonly host: string; readonly close: () => void }> {
  const [hostname, port] = host.split(':')
  const expected = `Basic ${Buffer.from(login).toString('base64')}`
  const server = http.createServer((request, response) => {
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end()
      return
    }
    const { method, url } = request
    const { authorization: _none, ...headers } = request.headers
    const upstream = http.request({ hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    upstream.on('error', () => response.destroy())
    request.pipe(upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return { host: `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, close: () => server.close() }
}
