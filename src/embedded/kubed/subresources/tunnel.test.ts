import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { tie } from './tunnel.ts'

/** A connection whose writes are taken when its test says so. */
function connection(): { readonly socket: Duplex; readonly sent: string[]; readonly take: () => void } {
  const sent: string[] = []
  let take = (): void => undefined
  const socket = new Duplex({
    read: () => undefined,
    write(chunk, _encoding, done) {
      take = () => {
        sent.push(String(chunk))
        done()
      }
    },
  })
  return { socket, sent, take: () => take() }
}

test('a client that is slow gets the last words though the kubelet has hung up', async () => {
  const [client, kubelet] = [connection(), connection()]
  tie({ socket: client.socket, head: Buffer.alloc(0) }, kubelet.socket, Buffer.alloc(0))
  kubelet.socket.push('exit status')
  kubelet.socket.push(null)
  await once(kubelet.socket, 'end')
  kubelet.socket.destroy()
  await once(kubelet.socket, 'close')
  assert.deepEqual([client.socket.destroyed, client.sent], [false, []])
  client.take()
  await once(client.socket, 'finish')
  assert.deepEqual(client.sent, ['exit status'])
  client.socket.destroy()
})

test('a connection that breaks off takes the other with it', async () => {
  const [client, kubelet] = [connection(), connection()]
  tie({ socket: client.socket, head: Buffer.alloc(0) }, kubelet.socket, Buffer.alloc(0))
  kubelet.socket.destroy(new Error('reset'))
  await once(client.socket, 'close')
})
