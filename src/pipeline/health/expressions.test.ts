import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../lib/kube/object.ts'
import { compileHealthExpressions } from './expressions.ts'

const object = (apiVersion: string, kind: string): KubeObject => ({ apiVersion, kind, metadata: { name: 'x' } })
const expression = (kind: string | undefined, failed: string) => ({
  ...{ apiVersion: 'example.com/v1', kind, current: 'true', inProgress: undefined, failed },
})

test('an expression without a kind is for those of its group that have none', () => {
  const judge = compileHealthExpressions([expression(undefined, 'true'), expression('Thing', 'false')])
  assert.equal(judge(object('example.com/v2', 'Other'))?.health, 'Failed')
  assert.equal(judge(object('example.com/v2', 'Thing'))?.health, 'Current')
  assert.equal(judge(object('example.org/v1', 'Other')), undefined)
})
