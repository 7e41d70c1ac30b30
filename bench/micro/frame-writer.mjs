// Writing a frame header into an output buffer, and building the same header as bytes of its own.
import { compare, loadWire } from './suite.mjs';

const { writeFrameHeader } = loadWire('frame-writer');
const { serializeFrameHeader } = loadWire('frame-header');
const target = new Uint8Array(64);

for (const size of [64, 1024, 65_536]) {
  for (const isMasked of [false, true]) {
    const header = {
      isFinal: true,
      rsv1: false,
      rsv2: false,
      rsv3: false,
      opcode: 2,
      isMasked,
      payloadLength: BigInt(size),
      lengthForm: size < 126 ? 7 : size < 65_536 ? 16 : 64,
      maskingKey: isMasked ? new Uint8Array([0x37, 0xfa, 0x21, 0x3d]) : undefined,
    };
    compare(`header of ${size} B, ${isMasked ? 'masked' : 'not masked'}`, 0, {
      writeFrameHeader: () => writeFrameHeader(target, 0, 0x82, size, isMasked, 0x3d21fa37),
      serializeFrameHeader: () => serializeFrameHeader(header),
    });
  }
}
