import { SluiceError } from '../../../../lib/error/sluice-error.ts'

/** A volume that cannot be made as it is asked for, in the kubelet's words. */
export function refused(volume: string, why: string): SluiceError {
  return new SluiceError('POD_VOLUME', `MountVolume.SetUp failed for volume "${volume}" : ${why}`, { retry: 'backoff' })
}
