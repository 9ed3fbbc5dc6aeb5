/** A fault of the peer that ends the connection: compressor and frames are out of step afterwards. */
export class SpdyFault extends Error {}
