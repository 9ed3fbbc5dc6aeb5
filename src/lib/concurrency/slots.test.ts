import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limitTo } from './slots.ts'

/** Starts tasks that end when they are told to, and notes who began. */
function bench(count: number): {
  begun: string[]
  start: (name: string) => Promise<string>
  end: (name: string) => void
} {
  const slots = limitTo(count)
  const begun: string[] = []
  const ends = new Map<string, (error?: Error) => void>()
  const start = (name: string): Promise<string> =>
    slots(async () => {
      begun.push(name)
      await new Promise<void>((resolve, reject) => ends.set(name, (error) => (error ? reject(error) : resolve())))
      return name
    })
  return { begun, start, end: (name) => ends.get(name)?.(name.startsWith('bad') ? new Error(name) : undefined) }
}

test('tasks begin in the order in which they came, so many at once and no more', async () => {
  const { begun, start, end } = bench(2)
  const [a, b, c] = [start('a'), start('b'), start('c')]
  assert.deepEqual(begun, ['a', 'b'])
  end('a')
  assert.equal(await a, 'a')
  const late = start('late')
  await Promise.resolve()
  assert.deepEqual(begun, ['a', 'b', 'c'])
  for (const name of ['b', 'c']) end(name)
  await Promise.all([b, c])
  await Promise.resolve()
  assert.deepEqual(begun, ['a', 'b', 'c', 'late'])
  end('late')
  await late
})

test('a task that fails gives its slot back', async () => {
  const { begun, start, end } = bench(1)
  const [bad, next] = [start('bad'), start('next')]
  end('bad')
  await assert.rejects(bad, /bad/)
  await Promise.resolve()
  assert.deepEqual(begun, ['bad', 'next'])
  end('next')
  await next
})
