import type { EnginePart } from './context.ts'
import { kustomizationController } from './kustomization/controller.ts'
import { imagePart } from './image/part.ts'
import { notifyPart } from './notify/part.ts'
import { receiverPart } from './receiver/part.ts'
import { servedSourceKinds, sourcePart } from './source-part.ts'
import { unservedPart } from './unserved.ts'

/** Every part of the engine, started in this order; add a line for a new kind. */
export const ENGINE_PARTS: readonly EnginePart[] = [
  notifyPart,
  receiverPart,
  sourcePart,
  async (context, { start }) => start(kustomizationController(context, await servedSourceKinds(context))),
  unservedPart,
  imagePart,
]
