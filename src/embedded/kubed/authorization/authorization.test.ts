import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { writeCertificate } from '../../../lib/x509/certificate.ts'
import { type Kubed, serveKubed } from '../serve.ts'

const stateDir = mkdtempSync(join(tmpdir(), 'kubed-auth-'))
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
let kubed: Kubed

type Answer = { readonly code: number; readonly body: any }

async function ask(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(`${kubed.plainServer}${path}`, {
    method,
    headers: { authorization: `Bearer ${kubed.token}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { code: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text }
}

const open = async (): Promise<void> => {
  kubed = await serveKubed({ stateDir, port: 0, isAlsoPlain: true })
}
before(open)
after(async () => {
  await kubed.close()
  rmSync(stateDir, { recursive: true, force: true })
})

const tokenOf = async (name: string, spec: object = {}): Promise<Answer> =>
  ask('POST', `/api/v1/namespaces/default/serviceaccounts/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec,
  })
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

test('the default roles come back at the next start, but what was added stays and what is opted out is left', async () => {
  const patch = { 'content-type': 'application/merge-patch+json' }
  const before = (await ask('GET', `${RBAC}/clusterroles/system:discovery`)).body.rules[0].nonResourceURLs
  const roles = (await ask('GET', `${RBAC}/clusterroles`)).body.items.length
  await ask(
    'PATCH',
    `${RBAC}/clusterroles/system:discovery`,
    { rules: [{ verbs: ['get'], nonResourceURLs: ['/mine'] }] },
    patch,
  )
  await ask('DELETE', `${RBAC}/clusterroles/system:node`)
  const optOut = { annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } }
  await ask('PATCH', `${RBAC}/clusterroles/system:basic-user`, { metadata: optOut, rules: [] }, patch)
  await kubed.close()
  await open()
  const after = (await ask('GET', `${RBAC}/clusterroles/system:discovery`)).body.rules
  const paths = after.flatMap((rule: any) => rule.nonResourceURLs)
  assert.deepEqual(paths, ['/mine', ...before])
  assert.equal((await ask('GET', `${RBAC}/clusterroles`)).body.items.length, roles)
  assert.equal((await ask('GET', `${RBAC}/clusterroles/system:basic-user`)).body.rules?.length ?? 0, 0)
  await ask('DELETE', `${RBAC}/clusterroles/system:basic-user`)
  await kubed.close()
  await open()
})

test('an aggregated role gains and loses the rules of its parts, through another one too', async () => {
  const part = { rules: [{ apiGroups: ['x.example'], resources: ['things'], verbs: ['get'] }] }
  const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'things', labels },
    ...part,
  }
  const has = async (name: string): Promise<boolean> =>
    JSON.stringify((await ask('GET', `${RBAC}/clusterroles/${name}`)).body.rules).includes('x.example')
  assert.equal((await ask('POST', `${RBAC}/clusterroles`, role)).code, 201)
  for (const name of ['view', 'edit', 'admin']) assert.ok(await has(name), name)
  await ask('DELETE', `${RBAC}/clusterroles/things`)
  for (const name of ['view', 'edit', 'admin']) assert.ok(!(await has(name)), name)
})

test('a token makes its bearer the account, until the account, the bound secret or the audience says otherwise', async () => {
  await ask('POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 'held' } })
  const bound = (await tokenOf('default', { boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'held' } })).body
  const who = await ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, bearer(bound.status.token))
  assert.equal(who.body.status.userInfo.username, 'system:serviceaccount:default:default')
  const denied = await ask('GET', '/api/v1/namespaces/default/secrets', undefined, bearer(bound.status.token))
  assert.equal(denied.code, 403)
  const foreign = (await tokenOf('default', { audiences: ['a'] })).body.status.token
  assert.equal((await ask('GET', '/api', undefined, bearer(foreign))).code, 401)
  const review = async (token: string, audiences?: string[]): Promise<any> =>
    (await ask('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token, audiences } })).body.status
  assert.deepEqual((await review(foreign, ['b', 'a'])).audiences, ['a'])
  assert.match((await review(foreign)).error, /token audiences \["a"\] is invalid for the target audiences/)
  await ask('DELETE', '/api/v1/namespaces/default/secrets/held')
  assert.match((await review(bound.status.token)).error, /has been invalidated/)
  const [head, claims] = foreign.split('.')
  assert.equal((await review(`${head}.${claims}.AAAA`, ['a'])).authenticated, undefined)
})

test('tokens outlive the server, and anybody can check them by its keys', async () => {
  const { token } = (await tokenOf('default')).body.status
  await kubed.close()
  await open()
  assert.equal((await ask('GET', '/api', undefined, bearer(token))).code, 200)
  const keys = (await ask('GET', '/openid/v1/jwks', undefined, bearer(token))).body.keys
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString())
  assert.deepEqual(
    keys.map((key: any) => [key.kid, key.kty, key.d]),
    [[kid, 'RSA', undefined]],
  )
})

test('impersonation needs its verb', async () => {
  const { token } = (await tokenOf('default')).body.status
  const refused = await ask('GET', '/api', undefined, { ...bearer(token), 'impersonate-user': 'alice' })
  assert.equal(refused.code, 403)
  assert.match(refused.body.message, /cannot impersonate resource "users" in API group "" at the cluster scope/)
  // CVE-2026-23990: groups of nobody must not fall back to who asks.
  const nobody = await ask('GET', '/api', undefined, { 'impersonate-user': '', 'impersonate-group': 'system:masters' })
  assert.equal(nobody.code, 400)
})

test('who lacks a permission cannot give it, but may bind what it may bind', async () => {
  const meta = { apiVersion: 'rbac.authorization.k8s.io/v1' }
  const rules = [
    { apiGroups: ['rbac.authorization.k8s.io'], resources: ['rolebindings'], verbs: ['create'] },
    { apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], resourceNames: ['view'], verbs: ['bind'] },
  ]
  await ask('POST', `${RBAC}/namespaces/default/roles`, { ...meta, kind: 'Role', metadata: { name: 'binder' }, rules })
  const bind = (name: string, kind: string, role: string, headers = {}): Promise<Answer> =>
    ask(
      'POST',
      `${RBAC}/namespaces/default/rolebindings`,
      {
        ...meta,
        kind: 'RoleBinding',
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
        subjects: [{ kind: 'User', name: 'carol' }],
      },
      headers,
    )
  await bind('binder', 'Role', 'binder')
  const carol = { 'impersonate-user': 'carol' }
  assert.equal((await bind('view', 'ClusterRole', 'view', carol)).code, 201)
  assert.equal((await bind('edit', 'ClusterRole', 'edit', carol)).code, 403)
  assert.equal((await bind('none', 'Role', 'none', carol)).code, 404)
})

test('who may change and not create, creates by no update and no apply either', async () => {
  const rules = [
    { apiGroups: ['', 'coordination.k8s.io'], resources: ['configmaps', 'leases'], verbs: ['patch', 'update'] },
  ]
  await ask('POST', `${RBAC}/namespaces/default/roles`, { metadata: { name: 'changer' }, rules })
  await ask('POST', `${RBAC}/namespaces/default/rolebindings`, {
    metadata: { name: 'changer' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'changer' },
    subjects: [{ kind: 'User', name: 'erin' }],
  })
  const erin = { 'impersonate-user': 'erin' }
  const map = '/api/v1/namespaces/default/configmaps/new?fieldManager=e'
  const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new' } }
  const apply = { 'content-type': 'application/apply-patch+yaml' }
  const lease = '/apis/coordination.k8s.io/v1/namespaces/default/leases/new'
  for (const dryRun of ['', '&dryRun=All']) {
    const answer = await ask('PATCH', map + dryRun, applied, { ...erin, ...apply })
    assert.equal(answer.code, 403)
    const text = 'User "erin" cannot create resource "configmaps" in API group "" in the namespace "default"'
    assert.equal(answer.body.message, `configmaps "new" is forbidden: ${text}`)
  }
  assert.equal((await ask('PUT', lease, { metadata: { name: 'new' }, spec: {} }, erin)).code, 403)
  assert.equal((await ask('PATCH', map, applied, apply)).code, 201)
  assert.equal((await ask('PATCH', map, { ...applied, data: { a: 'b' } }, { ...erin, ...apply })).code, 200)
})

test('a Node that names the address of the server itself gives nobody the rights of the server', async () => {
  const { hostname, port } = new URL(kubed.server)
  await ask('POST', '/api/v1/nodes', { metadata: { name: 'mirror' } })
  const status = {
    addresses: [{ type: 'InternalIP', address: hostname }],
    daemonEndpoints: { kubeletEndpoint: { Port: Number(port) } },
  }
  const patch = { 'content-type': 'application/merge-patch+json' }
  assert.equal((await ask('PATCH', '/api/v1/nodes/mirror/status', { status }, patch)).code, 200)
  const answer = await ask('GET', '/api/v1/nodes/mirror/proxy/api/v1/namespaces/kube-system/secrets')
  assert.equal(answer.code, 401)
})

test('a token of other letters than ours is a wrong one', async () => {
  const letters = '\u00e9'.repeat(kubed.token.length)
  assert.equal((await ask('GET', '/api', undefined, bearer(letters))).code, 401)
})

test('an object of a namespace that is called watch is read, not watched', async () => {
  await ask('POST', '/api/v1/namespaces', { metadata: { name: 'watch' } })
  await ask('POST', '/api/v1/namespaces/watch/configmaps', { metadata: { name: 'a' } })
  assert.equal((await ask('GET', '/api/v1/namespaces/watch/configmaps/a')).body.kind, 'ConfigMap')
})

test('a certificate of the own authority names its bearer, one of another is nobody’s', async () => {
  const ca = createPrivateKey(readFileSync(join(stateDir, 'kubed', 'ca.key')))
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const codeOf = (issuer: typeof ca): Promise<number> => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const cert = writeCertificate({
      subject: { commonName: 'dora', organizations: ['system:masters'] },
      key: privateKey,
      issuer: { subject: { commonName: 'kubed-ca' }, key: issuer },
      serial: Buffer.from([1]),
      notBeforeMs: Date.now() - 60_000,
      notAfterMs: Date.now() + 60_000,
      use: 'client',
      names: [],
    })
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
    return new Promise((done, failed) => {
      https
        .get(`${kubed.server}/api/v1/nodes`, { ca: kubed.caPem, cert, key, agent: false }, (answer) => {
          answer.resume()
          done(answer.statusCode ?? 0)
        })
        .on('error', failed)
    })
  }
  assert.equal(await codeOf(ca), 200)
  assert.equal(await codeOf(other), 401)
})
