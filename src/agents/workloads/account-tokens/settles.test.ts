import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Chance,
  forSeeds,
  type RunOptions,
  servedKind,
  simulateCluster,
} from '../../../../tests/support/simulated-cluster.ts'
import type { SimulatedStore } from '../../../../tests/support/simulated-store.ts'
import { type KubeObject, refOf } from '../../../lib/kube/object.ts'
import { accountTokens } from './controller.ts'
import type { Account, TokenSecret } from './decide.ts'

const kinds = [servedKind('v1', 'Secret', 'secrets'), servedKind('v1', 'ServiceAccount', 'serviceaccounts')]
const TYPE = 'kubernetes.io/service-account-token'
const [NAME, UID] = ['kubernetes.io/service-account.name', 'kubernetes.io/service-account.uid']
const ACCOUNTS = ['robot', 'cat']
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const putAccount = (store: SimulatedStore, { is }: Chance, name: string): KubeObject =>
  store.put({
    ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'a' } },
    ...(is(0.6) && { secrets: [{ name: 's0' }, { name: 's1' }, { name: 'own' }] }),
  })

function putSecret(store: SimulatedStore, { is, pick }: Chance, name: string): void {
  const account = pick([...ACCOUNTS, 'absent', ''])
  const uid = is(0.7) ? store.get('ServiceAccount', 'a', account)?.metadata.uid : 'former'
  const annotations = { ...(account !== '' && { [NAME]: account }), ...(is(0.5) && uid && { [UID]: uid }) }
  const data = { token: base64('before'), 'ca.crt': base64(pick(['CA', 'old'])), namespace: base64('a') }
  store.put({
    ...{ apiVersion: 'v1', kind: 'Secret', type: is(0.9) ? TYPE : 'Opaque' },
    metadata: { name, namespace: 'a', annotations },
    data: pick([{}, data, { ...data, token: '' }, { 'ca.crt': base64('CA'), more: 'x' }]),
  })
}

function others(store: SimulatedStore, chance: Chance): (() => void)[] {
  const { pick, is, int } = chance
  const deed = (): void => {
    const [account, secret] = [pick(ACCOUNTS), `s${int(3)}`]
    const found = store.get('ServiceAccount', 'a', account)
    const isThere = store.get('Secret', 'a', secret)
    if (is(0.3) && found) store.remove(refOf(found))
    else if (!found) putAccount(store, chance, account)
    if (is(0.5) && isThere) store.remove(refOf(isThere))
    else if (!isThere) putSecret(store, chance, secret)
  }
  return Array.from({ length: int(6) }, () => deed)
}

function checkEnd(store: SimulatedStore): void {
  for (const { metadata, data, ...secret } of store.of<TokenSecret>('Secret')) {
    const { [NAME]: name, [UID]: uid } = metadata.annotations ?? {}
    if (secret['type'] !== TYPE || name === undefined) continue
    const account = store.get<Account>('ServiceAccount', 'a', name)
    assert.ok(account, `${metadata.name} is there, and its account is not`)
    assert.ok(uid === undefined || uid === account.metadata.uid, `${metadata.name} is of an account before`)
    assert.ok(data?.['token'], `${metadata.name} has no token`)
    assert.deepEqual([data['ca.crt'], data['namespace']], [base64('CA'), base64('a')])
  }
}

test('secrets for tokens settle from any state, and a further run writes nothing', () =>
  forSeeds(8, async (seed) => {
    const { store, chance, run } = simulateCluster(seed, kinds, 0)
    for (const name of ACCOUNTS) if (chance.is(0.7)) putAccount(store, chance, name)
    for (let at = chance.int(3); at >= 0; at--) putSecret(store, chance, `s${at}`)
    const keep = (options: RunOptions): Promise<readonly string[]> =>
      run((bench) => [accountTokens(bench)], {
        answer: (asked) => ({ ...asked, status: { token: 'token' } }),
        ...options,
      })
    await keep({ faults: chance.int(4), others: others(store, chance) })
    checkEnd(store)
    assert.deepEqual(await keep({}), [])
  }))

test('an account forgets a secret that has gone, though others write it meanwhile', () =>
  forSeeds(12, async (seed) => {
    const { store, run } = simulateCluster(seed, kinds, 0)
    const account: KubeObject = {
      ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot', namespace: 'a', uid: 'r' } },
      secrets: [{ name: 's' }, { name: 'own' }],
    }
    store.put(account)
    const secret = store.put({
      ...{ apiVersion: 'v1', kind: 'Secret', type: TYPE },
      metadata: { name: 's', namespace: 'a', annotations: { [NAME]: 'robot', [UID]: 'r' } },
      data: { token: base64('t'), 'ca.crt': base64('CA'), namespace: base64('a') },
    })
    await run((bench) => [accountTokens(bench)], { later: [() => void store.remove(refOf(secret))], faults: 2 })
    assert.deepEqual(store.get('ServiceAccount', 'a', 'robot')?.['secrets'], [{ name: 'own' }])
  }))
