import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseArguments, UsageError } from '../../src/cli/arguments.js';
import { type InspectedFrame, inspect, inspectBytes, inspectCommand } from '../../src/cli/inspect.js';

/** Runs the command in this process. */
async function run(argv: string[], input: string | Buffer = ''): Promise<{ code: number; output: string }> {
  const stdout = new PassThrough();
  const stdin = Readable.from([Buffer.from(input)]);
  const code = await inspect(parseArguments(inspectCommand, argv), { stdin, stdout });
  return { code, output: String(stdout.read() ?? '') };
}

const MASKED_HELLO = '818537fa213d7f9f4d5158';

describe('hawser inspect', () => {
  it('names every bit of the example in §5.7', async () => {
    const { code, output } = await run([MASKED_HELLO]);
    expect(code).toBe(0);
    expect(output).toBe(`Frame 1 at byte 0: text, final, masked, 5 bytes
  1... ....    FIN 1                 §5.4  the final fragment of its message
  .0.. ....    RSV1 0                §5.2  not a compressed message
  ..0. ....    RSV2 0                §5.2  reserved for extensions
  ...0 ....    RSV3 0                §5.2  reserved for extensions
  .... 0001    Opcode 0x1 text       §5.6  the message is text in UTF-8
  1... ....    MASK 1                §5.1  masked, as every frame of a client is
  .000 0101    Payload length 5      §5.2  7 bits: the length itself
  37 fa 21 3d  Masking key 37fa213d  §5.3  XORed over the payload, octet i with key octet i mod 4
  payload on the wire
    0000  7f 9f 4d 51 58                                   ..MQX
  payload, unmasked
    0000  48 65 6c 6c 6f                                   Hello
  "Hello"

`);
  });

  it.each([
    ['several arguments', ['81', '85', '37fa213d', '7f9f4d5158'], ''],
    ['0x and commas', ['0x81,0x85,0x37,0xfa,0x21,0x3d,0x7f,0x9f,0x4d,0x51,0x58'], ''],
    ['standard input', [], '81 85 37 fa 21 3d\n7f 9f 4d 51 58\n'],
    ['standard input, named -', ['-'], MASKED_HELLO],
    ['raw standard input', ['--raw'], Buffer.from(MASKED_HELLO, 'hex')],
  ])('reads %s', async (_, argv, input) => {
    expect(await run(argv, input)).toEqual(await run([MASKED_HELLO]));
  });

  it('explains several frames in sequence, of both sides, each with its own message state', async () => {
    // client: text fragment; server: ping; client: end of the message
    const { code, output } = await run(['01810000000061', '890170', '80810000000062']);
    expect(code).toBe(0);
    expect(output.match(/^Frame .*$/gm)).toEqual([
      'Frame 1 at byte 0: text, not final, masked, 1 byte',
      'Frame 2 at byte 7: ping, final, not masked, 1 byte',
      'Frame 3 at byte 10: continuation, final, masked, 1 byte',
    ]);
  });

  it.each([
    ['a header', '8285aabb', '! incomplete header at byte 0: 82 85 aa bb §5.2'],
    ['a header behind a frame', '8900 81', '! incomplete header at byte 2: 81 §5.2'],
    ['a payload', '820561', '! incomplete: 1 of 5 payload bytes are here'],
  ])('reports an incomplete tail: %s -> exit code 1', async (_, hex, message) => {
    const { code, output } = await run([hex]);
    expect(code).toBe(1);
    expect(output).toContain(message);
  });

  it.each([
    ['reserved bit', 'b100', '! RSV2 is set, but no extension defines it (§5.2, fails with 1002)'],
    ['reserved opcode', '8300', '! opcode 0x3 is reserved (§5.2, fails with 1002)'],
    [
      'length that is not minimal',
      '827e000161',
      'fits the 7-bit form, but the 16-bit form carries it (§5.2, fails with 1002)',
    ],
    ['fragmented control frame', '0900', '! a control frame must not be fragmented (§5.5, fails with 1002)'],
    ['close code', '880203ed', '! status code 1005 must not stand in a Close frame (§7.4, fails with 1002)'],
    ['bad UTF-8', '8101ff', '! the text is not valid UTF-8 (§8.1, fails with 1007)'],
    ['RSV1 without --deflate', 'c10548656c6c6f', '! RSV1 is set, but permessage-deflate was not negotiated'],
  ])('points out a broken rule: %s -> exit code 1', async (_, hex, message) => {
    const { code, output } = await run([hex]);
    expect(code).toBe(1);
    expect(output).toContain(message);
  });

  it('checks the MASK bit when it is told whose frames these are', async () => {
    expect((await run(['--from', 'server', MASKED_HELLO])).code).toBe(1);
    expect((await run(['--from', 'client', MASKED_HELLO])).code).toBe(0);
    expect((await run(['--from=client', '8900'])).output).toContain('a client must mask every frame (§5.1');
  });

  it('inflates where permessage-deflate was negotiated', async () => {
    const { code, output } = await run(['--deflate', 'c107f248cdc9c90700']);
    expect(code).toBe(0);
    expect(output).toContain('message, inflated to 5 bytes\n  "Hello"');
  });

  it('shows what could steer a terminal in escaped form', async () => {
    expect((await run(['81045b1b5b4a'])).output).toContain('"[\\x1b[J"');
  });

  it('prints one JSON object per frame with --json', async () => {
    const { code, output } = await run(['--json', MASKED_HELLO, '8900', '81']);
    const lines = output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      {
        number: 1,
        offset: 0,
        type: 'frame',
        name: 'text',
        maskingKey: '37fa213d',
        payload: { text: 'Hello' },
      },
      { number: 2, offset: 11, type: 'frame', name: 'ping' },
      { type: 'rest', offset: 13, hex: '81' },
    ]);
    expect(code).toBe(1);
  });

  it.each([
    [['zz'], '', 'not hexadecimal: "zz"'],
    [['818'], '', 'odd number of hexadecimal digits: "818"'],
    [['--from', 'me', '8900'], '', '--from must be client or server, not "me"'],
    [['--raw', '8900'], '', '--raw reads standard input, it takes no HEX'],
    [[], '', 'there are no bytes to inspect (see hawser inspect --help)'],
    [['-'], 'no hex', 'not hexadecimal: "no"'],
  ])('refuses %j in one line', async (argv, input, message) => {
    await expect(run(argv, input)).rejects.toThrow(new UsageError(message));
  });

  it('never throws, and accounts for every byte, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), fc.boolean(), (bytes, hasDeflate) => {
        const frames: InspectedFrame[] = [];
        const rest = inspectBytes(Buffer.from(bytes), { hasDeflate }, (frame) => frames.push(frame));
        expect((frames.at(-1)?.end ?? 0) + rest.length).toBe(bytes.length);
        for (const [index, frame] of frames.entries()) expect(frame.offset).toBe(frames[index - 1]?.end ?? 0);
      }),
      { numRuns: 500 },
    );
  });
});
