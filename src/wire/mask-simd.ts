// Masking with vector instructions, 64 octets at a turn, for payloads that are large enough to be worth the way into
// WebAssembly's memory and back. The module is 118 bytes, assembled by hand from this text:
//
//   (module
//     (memory (export "memory") 1)
//     (func (export "mask") (param $length i32) (param $key i32) (local $at i32) (local $keys v128)
//       (local.set $keys (i32x4.splat (local.get $key)))
//       (loop $next
//         (v128.store offset=0  (local.get $at) (v128.xor (v128.load offset=0  (local.get $at)) (local.get $keys)))
//         (v128.store offset=16 …)  (v128.store offset=32 …)  (v128.store offset=48 …)
//         (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $length))))))
//
// It knows nothing of frames; `mask.ts` decides when to use it.

/** Just enough of the global for this file; the library of types for it belongs to browsers. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: object };
};

interface Exports {
  memory: { buffer: ArrayBuffer };
  /** Masks the first `length` bytes of the memory, and up to 63 behind them. */
  mask(length: number, key: number): void;
}

/** What goes through the memory at once: small enough to stay in the processor's first cache. */
const WINDOW_BYTES = 16 * 1024;

// One line a section: header, types, functions, memory, exports, code.
const MODULE = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x06, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x00],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x05, 0x03, 0x01, 0x00, 0x01],
  ...[
    0x07, 0x11, 0x02, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00, 0x04, 0x6d, 0x61, 0x73, 0x6b,
    0x00, 0x00,
  ],
  ...[0x0a, 0x5e, 0x01, 0x5c, 0x02, 0x01, 0x7f, 0x01, 0x7b],
  ...[0x20, 0x01, 0xfd, 0x11, 0x21, 0x03, 0x03, 0x40],
  ...xorAt(0x00),
  ...xorAt(0x10),
  ...xorAt(0x20),
  ...xorAt(0x30),
  ...[0x20, 0x02, 0x41, 0xc0, 0x00, 0x6a, 0x22, 0x02, 0x20, 0x00, 0x49, 0x0d, 0x00, 0x0b, 0x0b],
]);

/** Loads 16 octets from `$at + offset`, masks them, stores them back. */
function xorAt(offset: number): number[] {
  return [0x20, 0x02, 0x20, 0x02, 0xfd, 0x00, 0x00, offset, 0x20, 0x03, 0xfd, 0x51, 0xfd, 0x0b, 0x00, offset];
}

let instance: Exports | undefined | null;
let memory: Uint8Array;

/** Compiles the module at the first call; false where WebAssembly or its vectors are not to be had. */
export function hasSimd(): boolean {
  if (instance === undefined) {
    try {
      instance = new WebAssembly.Instance(new WebAssembly.Module(MODULE)).exports as Exports;
      memory = new Uint8Array(instance.memory.buffer, 0, WINDOW_BYTES);
    } catch {
      instance = null;
    }
  }
  return instance !== null;
}

/**
 * Copies `source[start, end)` to `target[at, …)`, masked; source and target may be the same bytes. Only after
 * `hasSimd()`.
 */
export function copyMaskedSimd(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
  key: number,
): void {
  for (let from = start; from < end; from += WINDOW_BYTES) {
    const length = Math.min(WINDOW_BYTES, end - from);
    // Each window is a multiple of four octets long but for the last, so the key stays in step.
    memory.set(source.subarray(from, from + length));
    instance!.mask(length, key);
    target.set(length === WINDOW_BYTES ? memory : memory.subarray(0, length), at + from - start);
  }
}
