import type { EnginePart } from '../context.ts'
import { imageUpdateAutomationController } from './automation-controller.ts'
import { imagePolicyController } from './policy-controller.ts'
import { imageRepositoryController } from './repository-controller.ts'
import { openRegistries } from '../registries.ts'
import { createTagStore } from './tag-store.ts'

/** Scans, policies and write-backs: an image's way from the registry into Git. */
export const imagePart: EnginePart = async (context, { start }) => {
  const tags = createTagStore()
  const registries = openRegistries(context)
  const policies = imagePolicyController(context, tags, registries)
  await start(imageUpdateAutomationController(context, policies.store))
  await start(policies.controller)
  await start(imageRepositoryController(context, tags, registries))
  return () => registries.close()
}
