// The payload of a Close frame, read and written.
import { compare, explain, loadInsideWs, loadWire } from './suite.mjs';

const { parseClosePayload, serializeClosePayload } = loadWire('close-payload');
const validation = loadInsideWs('validation');

explain(
  'close-payload',
  'Status code and reason. parseClosePayload and serializeClosePayload: hawser; decode and compare: text that comes out of\n' +
    'decoding and encoding unchanged was valid; validation of ws: its checks, after the same reading.',
);

const REASONS = {
  'no reason': '',
  'short reason': 'going away',
  '123 B of reason': 'é'.repeat(61).padEnd(62, '.'),
};

/** @param {Buffer} payload */
function decodeAndCompare(payload) {
  const code = payload.readUInt16BE(0);
  const isAllowed =
    (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code < 5000);
  const reason = payload.toString('utf8', 2);
  return isAllowed && Buffer.from(reason).equals(payload.subarray(2));
}

for (const [title, text] of Object.entries(REASONS)) {
  const reason = Buffer.from(text);
  const payload = Buffer.from(serializeClosePayload(1001, reason));
  await compare(`read, ${title}`, 0, {
    parseClosePayload: () => parseClosePayload(payload),
    'decode and compare': () => decodeAndCompare(payload),
    'validation of ws':
      validation &&
      (() =>
        validation.isValidStatusCode(payload.readUInt16BE(0)) && validation.isValidUTF8(payload.subarray(2))),
  });
  await compare(`write, ${title}`, 0, {
    serializeClosePayload: () => serializeClosePayload(1001, reason),
    'Buffer.concat': () => Buffer.concat([Buffer.from([1001 >> 8, 1001 & 0xff]), reason]),
  });
}
