import type { Controller } from '../../../engine/controller.ts'
import type { Bench } from '../bench.ts'
import { workloadController } from '../controller.ts'
import { as, type Node } from '../shapes.ts'
import type { Write } from '../write.ts'
import { decideTaints } from './decide.ts'

/** Keeps the taints of nodes in step with their conditions. */
export function nodeTaintController(bench: Bench): Controller<Node, Write, readonly Write[]> {
  const nodes = bench.cache('v1', 'Node')
  return workloadController<Node>(bench, {
    kind: 'Node',
    component: 'node-controller',
    async watch(wake) {
      await nodes.ready
      nodes.onChange((node) => wake.now(node.metadata.name))
      for (const node of nodes.list()) wake.now(node.metadata.name)
    },
    observe(name) {
      const node = nodes.get('', name)
      return node && as<Node>(node)
    },
    decide: decideTaints,
  })
}
