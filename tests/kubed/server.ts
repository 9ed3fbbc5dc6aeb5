import { serveKubed } from '../../src/embedded/kubed/serve.ts'

/** A server in a process of its own, to be killed: `server.ts DIR`. Prints one JSON line when ready. */
const [stateDir = ''] = process.argv.slice(2)
void serveKubed({ stateDir, port: 0 }).then(({ server, token, kubeconfig }) =>
  console.log(JSON.stringify({ server, token, kubeconfig })),
)
