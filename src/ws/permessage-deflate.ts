// stand-in
import { createDeflater, createInflater } from '../io/zlib.js';
import type { Deflater, Inflater } from '../protocol/compression.js';
export type PerMessageDeflateOptions = Record<string, unknown>;
export class PerMessageDeflate {
  static extensionName = 'permessage-deflate';
  params: any;
  constructor(public options: any) {}
  createInflater(): Inflater { return createInflater(this.options, 'client'); }
  createDeflater(): Deflater { return createDeflater(this.options, 'client'); }
  get compressFromBytes(): number { return 0; }
  get sharedWindowBits(): number | undefined { return undefined; }
  offer(): any { return {}; }
  accept(_list: any): any { return {}; }
}
