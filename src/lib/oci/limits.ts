/** What we accept from the other side before anything is trusted; sizes in bytes. */
export const LIMITS = {
  /** A manifest; 4 MiB is what the specification asks registries to accept at least. */
  manifestBytes: 4 * 1024 * 1024,
  /** An image configuration. */
  configBytes: 8 * 1024 * 1024,
  /** One layer as it travels. */
  layerBytes: 20 * 1024 ** 3,
  /** All files of one unpacked layer. */
  unpackedBytes: 40 * 1024 ** 3,
  /** Entries of one layer. */
  layerEntries: 2_000_000,
  /** Tags of one repository. */
  tags: 200_000,
  /** An error or token answer. */
  answerBytes: 1024 * 1024,
} as const
