import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextStep } from './next-step.ts'

const cases: { it: string; kind?: string; spec?: object; message: string; want: string | undefined }[] = [
  {
    it: 'a wrong login of Git',
    spec: { secretRef: { name: 'git' } },
    message: "unable to clone 'http://h/app.git': authentication required: Unauthorized",
    want: 'look at the login in Secret team/git: it is wrong, expired or has no right here',
  },
  {
    it: 'a registry that wants a login',
    kind: 'ImageRepository',
    message: 'scan failed: GET http://h/v2/app/tags/list?n=1000: UNAUTHORIZED: authentication required',
    want: 'it has no login: name a Secret in spec.secretRef',
  },
  {
    it: 'a certificate that nobody has signed',
    message: 'Get "https://h/": self-signed certificate',
    want: 'trust its authority: ca.crt in a Secret that spec.secretRef names',
  },
  {
    it: 'an authority that is not the one of the server',
    kind: 'ImageRepository',
    spec: { certSecretRef: { name: 'ca' } },
    message: 'registry h: unable to verify the first certificate',
    want: 'trust its authority: ca.crt in Secret team/ca is missing or of another',
  },
  { it: 'an expired certificate', message: 'certificate has expired', want: 'renew the certificate of the server' },
  {
    it: 'a Secret that is not there',
    message: 'failed to get secret \'team/git\': secrets "git" not found',
    want: 'create Secret team/git, or take it out of the spec',
  },
  {
    it: 'a name that nobody knows',
    message: 'lookup h: no such host',
    want: 'look at the address in its spec: the name is unknown to DNS',
  },
  {
    it: 'a server that is away',
    message: 'dial tcp h:1: connect: connection refused',
    want: 'it is asked again by itself; at once: sluice reconcile gitrepository app -n team',
  },
  {
    it: 'a repository that is not there, or is hidden from who may not read it',
    message: "unable to clone 'http://h/app.git': repository not found:",
    want: 'look at the address in its spec, and whether it wants a login: hosts answer so in both cases',
  },
  { it: 'nothing of what says it itself', message: 'couldn\'t find remote ref "refs/heads/x"', want: undefined },
]
for (const { it, kind = 'GitRepository', spec = {}, message, want } of cases)
  test(`the next step names ${it}`, () => {
    const object = { apiVersion: 'v1', kind, metadata: { namespace: 'team', name: 'app' }, spec }
    assert.equal(nextStep(object, message), want)
  })
