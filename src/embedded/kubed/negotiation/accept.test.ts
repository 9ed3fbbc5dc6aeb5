import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formOf } from './accept.ts'

const cases: { accept: string; want: string }[] = [
  { accept: '', want: 'object application/json' },
  { accept: 'application/json;charset=utf-8', want: 'object application/json' },
  { accept: 'application/json;q=0.5,application/yaml', want: 'object application/yaml' },
  { accept: 'application/json;stream=watch', want: 'object application/json' },
  { accept: 'application/json ; as=Table ; v=v1 ; g=meta.k8s.io', want: 'table application/json' },
  { accept: 'application/json;as=Table;v=v1;g=wrong,application/yaml', want: 'object application/yaml' },
  { accept: 'application/json;v=v1;g=meta.k8s.io', want: '406' },
  { accept: 'application/json;stream=other', want: '406' },
  { accept: 'application/json;sv=1', want: '406' },
  { accept: 'text/html', want: '406' },
]
for (const { accept, want } of cases)
  test(`what "${accept}" accepts is ${want}`, () => {
    const form = (): string => {
      try {
        const { kind, contentType } = formOf(accept)
        return `${kind} ${contentType}`
      } catch (error) {
        return String((error as { code: number }).code)
      }
    }
    assert.equal(form(), want)
  })
