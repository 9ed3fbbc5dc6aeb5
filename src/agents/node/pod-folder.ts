import { join } from 'node:path'
import type { ContainerId } from './driver.ts'

/** The folder with those of the pods, below the state folder of a driver. */
export function podsFolder(stateDir: string): string {
  return join(stateDir, 'pods')
}

/** The folder of a pod, with its volumes, its logs and what is made for its containers. */
export function podFolder(stateDir: string, uid: string): string {
  return join(podsFolder(stateDir), uid)
}

/** The folder of a container, whichever run of it. */
export function containerFolder(stateDir: string, { uid, container }: Omit<ContainerId, 'attempt'>): string {
  return join(podFolder(stateDir, uid), 'containers', container)
}

/** The folder with the logs of a pod's containers. */
export function logsFolder(stateDir: string, uid: string): string {
  return join(podFolder(stateDir, uid), 'logs')
}

/** What a run of a container printed. */
export function logFile(stateDir: string, { uid, container, attempt }: ContainerId): string {
  return join(logsFolder(stateDir, uid), `${container}.${attempt}.log`)
}
