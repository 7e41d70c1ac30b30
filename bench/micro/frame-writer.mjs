// Writing a frame header into an output buffer, and building the same header as bytes of its own.
import { compare, explain, loadOptional, loadWire } from './suite.mjs';

const { writeFrameHeader } = loadWire('frame-writer');
const { serializeFrameHeader } = loadWire('frame-header');
const sender = loadOptional('ws')?.Sender;
const target = new Uint8Array(64);

explain(
  'frame-writer',
  'The header of a frame. writeFrameHeader: into an output buffer, as hawser sends; serializeFrameHeader: the same as bytes of\n' +
    'its own, as the conformance suite writes them; Sender.frame: ws (not masked only, as it masks the payload too).',
);

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
    const payload = Buffer.alloc(size);
    const options = { fin: true, rsv1: false, opcode: 2, mask: false, readOnly: false };
    await compare(`header of ${size} B, ${isMasked ? 'masked' : 'not masked'}`, 0, {
      writeFrameHeader: () => writeFrameHeader(target, 0, 0x82, size, isMasked, 0x3d21fa37),
      serializeFrameHeader: () => serializeFrameHeader(header),
      'Sender.frame of ws': isMasked ? undefined : sender && (() => sender.frame(payload, options)),
    });
  }
}
