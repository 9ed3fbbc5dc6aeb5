import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRequestTarget } from './request-target.ts'

const targets: { target: string | undefined; want: string | undefined }[] = [
  { target: '/a/b?c=d%20e', want: '/a/b?c=d%20e' },
  { target: undefined, want: '/' },
  { target: 'http://example.com/a?b', want: '/a?b' },
  { target: '/a/../../b', want: '/b' },
  { target: '//', want: undefined },
  { target: '//[', want: undefined },
  { target: 'http://', want: undefined },
]
for (const { target, want } of targets)
  test(`a request for ${target} asks for ${want}`, () => {
    const url = parseRequestTarget(target)
    assert.equal(url && url.pathname + url.search, want)
  })
