// Why a verdict is not OK: for each peer in a role (`ws-server`), for each peer in both (`ws`), and for all (`*`), looked up in
// this order. The first entry fits whose `cases` (patterns) and `verdict` are those of the case. Frames stand as bytes in
// hexadecimal, without masking keys; `->` goes to the peer, `<-` comes from it.

/** What several peers do, and most for the same reason. */
const AT_THE_END = `It looks at the text only when the message is complete: -> 01 0b cebae1bdb9cf83cebcceb5, -> 00 04 f4908080
  (no character begins so), a second of silence, and only after the last fragment <- 88 02 03ef (1007). Allowed by §8.1, which does not
  say when; but everything until then was held in vain.`;
const HALF_A_FRAME = `It looks at the text of a frame only when the frame is complete: -> 01 15 cebae1bdb9cf83cebcceb5f4908080…
  in three parts a second apart, and <- 88 02 03ef (1007) only after the last. Allowed by §8.1, which does not say when.`;
const NOT_MINIMAL = `It accepts a length in more bytes than it takes: -> 82 7e 0000 or 82 7f 0000000000000005 2a2a2a2a2a comes back as if
  nothing were wrong. §5.2: "the minimal number of bytes MUST be used" binds the sender; a receiver need not look.`;
const DROPS_EARLIER = `It reads all that has come, sees the fault in a later frame and fails the connection (<- 88 … 03ea, 1002) before it
  echoes the good message or answers the Ping in front of it. Autobahn calls that NON-STRICT.`;
const NO_EXTENSION = `It has no permessage-deflate, or does not offer it: RFC 7692 is optional.`;
const NODE_101 = `Node.js hands it no event: for its HTTP client a 101 without both fields is an interim response. The client waits
  for another one, without a limit, and the connection stays open. §4.1: it MUST fail the connection.`;
const EQUAL_CONNECTION = `Of Connection it wants the whole value to be "upgrade": it refuses "Connection: keep-alive, Upgrade". §4.1 asks
  for a token among others, so it cannot connect through a proxy that adds one.`;
const HTTP_ODDITIES = `It answers 101 to a request that is not the one which §4.2.1 describes; the names of the cases say in what. Its HTTP
  parser lets it pass, and it does not look again. -> "GET * HTTP/1.1" and the rest as usual, <- 101`;
const TABS = `-> "Upgrade: \\twebsocket\\t" and the like. Whitespace around a value does not belong to it (RFC 9110 §5.5). The parser
  of Node.js leaves the trailing tab in the value, does not see an upgrade, and the request goes to the handler for plain HTTP.`;
const UTF8_1002 = `Text that is not UTF-8 fails the connection, as it must (§8.1), but the code is 1002, not 1007: <- 88 1d 03ea
  "Invalid UTF-8 in text frame". §7.4.1 has 1007 for this.`;
const UNCHECKED_CODE = `It takes any code in a Close frame but 1005, 1006 and 1015, and sends it back: -> 88 02 0000, <- 88 02 0000; the same with 999,
  1004, 1016, 2000, 2999. §7.4: codes below 1000 are not used, those up to 2999 are the protocol's. §5.5.1 has an endpoint fail or close, not repeat.`;
const BOM = `It loses a byte order mark at the beginning of a text: -> 81 07 efbbbf74657874, <- 81 04 74657874. U+FEFF is a character like others
  in a message (§5.6: UTF-8, with no mark to be taken off); its decoder is told to leave it out.`;
const UNCHECKED_PARAMETERS = `It takes the response without looking at this parameter. RFC 7692 §7.1: a client MUST fail the connection when a
  parameter is unknown, is there twice, has a value where none belongs or none where one does, or one outside 8 to 15.`;

const FINAL_BLOCK = `Behind a block with BFINAL everything is lost, and empty messages are delivered in its place: -> c1 08 f348cdc9c9070000
  ("Hello"), -> c1 07 f248cdc9c90700 ("Hello"), <- "Hello" and "". Its inflater is at its end and is not begun anew. RFC 7692 §7.2.3.4: a
  sender may set BFINAL.`;
const RSV1 = `With permessage-deflate it accepts RSV1 on any frame: -> c9 07 f248cdc9c90700 (a Ping), <- 8a 87 …; the same on Pongs, on Close and
  on continuation frames. RFC 7692 §6.1: no sender sets it there, and who receives it MUST fail the connection.`;
const TAKES_HINT =
  'It takes the hint of the tester up, as it may, so there is no tester that could ignore it.';
const STRAY_CONTINUATION = `Behind a compressed message it takes a continuation frame that continues nothing, and delivers an empty text. §5.4.`;

/** @typedef {{ cases: string, verdict?: string, why: string }} Reason */

/** @type {Record<string, Reason[]>} */
export const REASONS = {
  hawser: [{ cases: 'deflate.hint-*', verdict: 'UNIMPLEMENTED', why: TAKES_HINT }],
  '*': [
    {
      cases: '7.1.6 7.13.*',
      verdict: 'INFORMATIONAL',
      why: 'Informational by definition: the case only shows what the peer does.',
    },
    { cases: '6.4.1 6.4.2', verdict: 'NON-STRICT', why: AT_THE_END },
    { cases: '6.4.3 6.4.4', verdict: 'NON-STRICT', why: HALF_A_FRAME },
    { cases: 'utf8.fails-early-inside-*', verdict: 'NON-STRICT', why: HALF_A_FRAME },
    { cases: 'utf8.fails-early-*', verdict: 'NON-STRICT', why: AT_THE_END },
    { cases: 'length.*-in-16-bits length.*-in-64-bits', verdict: 'NON-STRICT', why: NOT_MINIMAL },
    { cases: '3.* 4.1.* 4.2.* 5.15', verdict: 'NON-STRICT', why: DROPS_EARLIER },
    { cases: '12.* 13.* extension.* deflate.*', verdict: 'UNIMPLEMENTED', why: NO_EXTENSION },
    {
      cases: 'subprotocol.client-accepts-its-own',
      verdict: 'UNIMPLEMENTED',
      why: 'The echo client offers no subprotocol, so there is none that the tester could choose.',
    },
    {
      cases: 'extension.client-refuses-*',
      verdict: 'INFORMATIONAL',
      why: 'The offer of the client leaves this parameter open, so no answer can go beyond it.',
    },
    {
      cases: 'deflate.cut-in-* deflate.no-bytes deflate.no-empty-block',
      verdict: 'NON-STRICT',
      why: `It delivers what zlib made of data that is not complete: -> c2 05 f248cdc9c9 (five of seven bytes), <- "Hellh". With 0000ffff behind
        it that is no whole DEFLATE data (RFC 7692 §7.2.2); zlib, asked to flush, does not say so.`,
    },
    {
      cases: 'deflate.tail-in-place',
      verdict: 'NON-STRICT',
      why: 'It accepts a message from which the last four bytes were not taken: -> c2 0b f248cdc9c907000000ffff. RFC 7692 §7.2.1 binds the sender.',
    },
    {
      cases: 'deflate.peer-*',
      verdict: 'INFORMATIONAL',
      why: 'It agrees on permessage-deflate and compresses nothing that it sends, as it may (RFC 7692 §6). There is nothing to judge.',
    },
    {
      cases: 'deflate.window-behind-a-final-block',
      verdict: 'FAILED',
      why: 'It delivers an empty text in place of a message: -> c1 05 f200110000, <- "". See the other cases about BFINAL.',
    },
    {
      cases: 'deflate.final-* deflate.messages-behind-a-final-block',
      verdict: 'FAILED',
      why: FINAL_BLOCK,
    },
    {
      cases: 'deflate.window-behind-a-final-block',
      verdict: 'INFORMATIONAL',
      why: 'The RFC does not say whether the window lives on behind a block with BFINAL; the case shows what the peer does.',
    },
    {
      cases: 'subprotocol.server-refuses-*',
      verdict: 'NON-STRICT',
      why: `Sec-WebSocket-Protocol is not a list of tokens (-> "hawser/a", "\\"hawser-a\\"", ","), and it answers 101 without a subprotocol. §4.2.1
        has a server refuse what is not the described request; choosing nothing does no harm.`,
    },
    {
      cases: 'robustness.empty-lines',
      verdict: 'INFORMATIONAL',
      why: 'It neither answers nor ends the connection while nothing but empty lines comes; a limit of time ends it later.',
    },
    {
      cases: 'handshake.client-names-the-server-in-tls',
      verdict: 'INFORMATIONAL',
      why: 'Peers are judged without TLS here; there is nothing to see.',
    },
    {
      cases: 'handshake.server-keeps-to-tls',
      verdict: 'INFORMATIONAL',
      why: 'Peers are judged without TLS here; there is nothing to see.',
    },
    {
      cases: 'close-code.server-never-sends-1010',
      verdict: 'INFORMATIONAL',
      why: `It repeats the code that it got: -> 88 02 03f2, <- 88 02 03f2 (1010). §7.4.1 has no server use it, §5.5.1 has it typically repeat it.`,
    },
    {
      cases: 'close-code.fault-*',
      verdict: 'INFORMATIONAL',
      why: 'It sends no Close frame in this case, which is allowed, so there is no code to judge. Whether it fails the connection is for other cases.',
    },
    {
      cases: 'closing.messages-before-close-are-echoed',
      verdict: 'INFORMATIONAL',
      why: 'It answers a Close frame before it has echoed what came in front of it. Nothing forbids that (§5.5.1).',
    },
    {
      cases: 'closing.client-leaves-tcp-to-server',
      verdict: 'NON-STRICT',
      why: `It ends TCP right after its Close frame (-> 88 02 03e8, <- 88 02 03e8, FIN within a millisecond). §7.1.1: a client SHOULD
        wait for the server to do so.`,
    },
    {
      cases: 'handshake.client-refuses-http-1.0',
      verdict: 'NON-STRICT',
      why: 'It takes "HTTP/1.0 101 Switching Protocols" for a handshake. A response in that version has no 101 (RFC 9110 §15.2).',
    },
    {
      cases: 'handshake.client-refuses-field-without-colon',
      verdict: 'NON-STRICT',
      why: 'It reads over a line without a colon among the fields of the response.',
    },
    {
      cases: 'handshake.client-accepts-interim-response handshake.client-accepts-early-hints',
      verdict: 'NON-STRICT',
      why: `It refuses a 101 in front of which stands "HTTP/1.1 100 Continue" or 103. HTTP clients read over interim responses
        (RFC 9110 §15.2); proxies rarely send them here.`,
    },
    {
      cases: 'handshake.server-refuses-a-plain-get',
      verdict: 'NON-STRICT',
      why: 'It answers 426 without a field Upgrade, which RFC 9110 §15.5.22 asks for.',
    },
  ],
  ws: [
    { cases: 'deflate.hint-*', verdict: 'UNIMPLEMENTED', why: TAKES_HINT },
    {
      cases: 'deflate.final-block-in-the-middle',
      verdict: 'FAILED',
      why: `It loses what stands behind a block with BFINAL in the same message: -> c1 0e f348cdc9c90700f248cdc9c90700 ("HelloHello"),
        <- "Hello". RFC 7692 §7.2.3.4: such a block ends neither the message nor the compression.`,
    },
    {
      cases: '9.3.1 9.3.2 9.4.1 9.4.2',
      verdict: 'FAILED',
      why: `It counts fragments and ends the connection at the 16,385th: -> 01 40 …, then 00 40 … again and again, <- 88 02 03f0
        (1008). These cases send 4 MiB in 65,536 and 16,384 fragments and an empty last one. A limit is legitimate (§10.4), but this one
        refuses messages that are small enough; the option maxFragments raises it.`,
    },
  ],
  'ws-server': [
    {
      cases: 'handshake.server-accepts-tabs-around-values',
      verdict: 'NON-STRICT',
      why: `${TABS} <- 426.`,
    },
    {
      cases:
        'handshake.server-refuses-a-leading-zero handshake.server-refuses-a-plus-sign handshake.server-refuses-a-decimal-point handshake.server-refuses-a-hexadecimal-version',
      verdict: 'FAILED',
      why: `Sec-WebSocket-Version is read as any number that equals 13: -> 013, +13, 13.0, 0xd, <- 101. By the grammar of §4.3 it is "13".`,
    },
    { cases: 'handshake.server-refuses-*', verdict: 'FAILED', why: HTTP_ODDITIES },
    {
      cases: 'extension.server-deflate-declines-a-*',
      verdict: 'FAILED',
      why: `Window bits are read as any number: -> server_max_window_bits=08 or 10.0, <- server_max_window_bits=8 or 10. RFC 7692 §7.1.2:
        a decimal integer without leading zeros; an offer with another value MUST be declined.`,
    },
    {
      cases: 'extension.server-deflate-falls-back-*',
      verdict: 'NON-STRICT',
      why: `One bad offer in the list and it refuses the handshake: -> "permessage-deflate; no_such_parameter, permessage-deflate",
        <- 400. RFC 7692 §7.1 has it decline that offer, and take the next.`,
    },
  ],
  'ws-client': [
    {
      cases:
        'extension.client-refuses-server-window-08 extension.client-refuses-server-window-0xa extension.client-refuses-client-window-010',
      verdict: 'FAILED',
      why: `Window bits are read as any number: <- server_max_window_bits=0xa in the response is taken for 10. RFC 7692 §7.1.2: a decimal
        integer without leading zeros, and the client MUST fail the connection otherwise.`,
    },
    {
      cases: 'extension.client-refuses-deflate-*',
      verdict: 'FAILED',
      why: `It takes "permessage-deflate, permessage-deflate" and uses the first. RFC 7692 §5: extensions that both claim RSV1 cannot
        be combined, and the client MUST fail the connection.`,
    },
  ],
  'websocket-server': [
    {
      cases: 'masking.server-refuses-*',
      verdict: 'FAILED',
      why: `It echoes frames without a mask: -> 81 07 6e6f206d61736b, <- 81 07 6e6f206d61736b. §5.1: a server MUST close the connection.`,
    },
    {
      cases: 'handshake.server-refuses-*key* handshake.server-refuses-the-same-key-twice',
      verdict: 'FAILED',
      why: `It takes any Sec-WebSocket-Key that is there: of 15, 17 or 18 bytes, with other characters than base64, without padding, twice.
        §4.2.1: base64 that decodes to 16 bytes.`,
    },
    {
      cases:
        'handshake.server-refuses-a-leading-zero handshake.server-refuses-a-plus-sign handshake.server-refuses-a-decimal-point handshake.server-refuses-a-list-of-versions handshake.server-refuses-the-same-version-twice',
      verdict: 'FAILED',
      why: `parseInt() reads Sec-WebSocket-Version: -> 013, +13, 13.0, "13, 13", <- 101. By the grammar of §4.3 it is "13".`,
    },
    {
      cases: 'handshake.server-refuses-version-0',
      verdict: 'FAILED',
      why: 'Version 0 counts as none: <- 400 without Sec-WebSocket-Version. §4.2.2: the answer MUST name the versions that it has.',
    },
    {
      cases: 'handshake.server-accepts-tabs-around-values',
      verdict: 'NON-STRICT',
      why: `${TABS} <- 404.`,
    },
    {
      cases:
        'handshake.server-refuses-a-longer-upgrade handshake.server-refuses-another-upgrade handshake.server-refuses-head handshake.server-refuses-post',
      verdict: 'FAILED',
      why: `It looks neither at the method nor at the value of Upgrade: -> HEAD, POST, "Upgrade: h2c", "Upgrade: websockets", <- 101. §4.2.1.`,
    },
    { cases: 'handshake.server-refuses-*', verdict: 'FAILED', why: HTTP_ODDITIES },
    {
      cases: 'handshake.server-*-in-the-segment-of-the-request',
      why: `It drops what came behind the request in the same TCP segment, and reads on in the middle of a frame. A client has to wait
        for the response (§4.1), so a server may refuse; accepting and losing bytes leaves the stream out of step.`,
    },
    {
      cases: 'extension.server-refuses-*',
      verdict: 'NON-STRICT',
      why: 'It has no extension, and answers a field Sec-WebSocket-Extensions that is no list of extensions with 101 and none.',
    },
  ],
  'websocket-client': [
    {
      cases: 'masking.client-refuses-*',
      verdict: 'FAILED',
      why: `It takes frames with a mask: -> 81 84 … 6d61736b, <- 81 84 … 6d61736b. §5.1: a client MUST close the connection.`,
    },
    {
      cases: 'masking.client-keys-are-not-math-random',
      verdict: 'FAILED',
      why: `Its masking keys come from Math.random(): from 500 of them the case finds the linear rule of its generator, so that whoever sees a
        few knows the next. §5.3 and §10.3: MUST be from a strong source of entropy.`,
    },
    { cases: 'handshake.client-accepts-connection-*', verdict: 'FAILED', why: EQUAL_CONNECTION },
    {
      cases:
        'handshake.client-refuses-no-connection handshake.client-refuses-no-upgrade handshake.client-refuses-longer-connection handshake.client-refuses-other-connection',
      verdict: 'FAILED',
      why: NODE_101,
    },
    {
      cases: 'extension.client-refuses-*',
      verdict: 'FAILED',
      why: `It does not look at Sec-WebSocket-Extensions of the response, though it has offered none. §4.1: an extension that was not
        offered fails the connection.`,
    },
    {
      cases: 'subprotocol.client-refuses-*',
      verdict: 'FAILED',
      why: `It has offered no subprotocol, and looks at that of the response only if it has. §4.1: one that was not offered fails the
        connection.`,
    },
  ],
  websocket: [
    {
      cases: 'close-code.1015-refused',
      verdict: 'FAILED',
      why: '-> 88 02 03f7 (1015), <- 88 02 03e8, as if all were well. §7.4.1: 1015 MUST NOT be in a Close frame.',
    },
    {
      cases: 'utf8.close-reason-ff',
      verdict: 'FAILED',
      why: `-> 88 03 0bb8ff, <- 88 02 03e8, as if all were well. A reason of one byte is never looked at, longer ones are. §5.5.1, §8.1.`,
    },
    {
      cases: 'close-code.fault-size',
      verdict: 'NON-STRICT',
      why: `-> 82 7f 4000000000000000, <- 88 … 03ea (1002): a frame of 2^62 bytes is too big (1009), and breaks no rule of the protocol.`,
    },
  ],
  'faye-websocket-server': [
    {
      cases: 'handshake.server-refuses-*key*',
      verdict: 'FAILED',
      why: `It takes any Sec-WebSocket-Key that is there, even an empty one: of 15, 17 or 18 bytes, with other characters than base64,
        without padding, twice. §4.2.1: base64 that decodes to 16 bytes.`,
    },
    {
      cases: 'handshake.server-refuses-version-*',
      verdict: 'FAILED',
      why: '<- 400 without Sec-WebSocket-Version. §4.2.2: the answer MUST name the versions that the server has.',
    },
    {
      cases: 'handshake.server-accepts-tabs-around-values',
      verdict: 'NON-STRICT',
      why: `${TABS} <- 404.`,
    },
    {
      cases: 'handshake.server-refuses-*',
      verdict: 'NON-STRICT',
      why: `The request is no handshake to it, and the echo program ends TCP without an answer (that is how its documentation does it).
        §4.2.1 asks for an error such as 400.`,
    },
    { cases: 'handshake.server-refuses-*', verdict: 'FAILED', why: HTTP_ODDITIES },
    {
      cases: 'close-code.fault-missing-mask',
      verdict: 'NON-STRICT',
      why: `-> 81 01 78 without a mask, <- 88 31 03eb "Received unmasked frame but masking is required": 1003 is for types of data; §5.1
        suggests 1002.`,
    },
    {
      cases: 'extension.server-refuses-*',
      verdict: 'NON-STRICT',
      why: 'A field Sec-WebSocket-Extensions with an empty value or quotation is accepted with 101 and no extension.',
    },
  ],
  'faye-websocket-client': [
    {
      cases: 'masking.client-refuses-*',
      verdict: 'FAILED',
      why: `It takes frames with a mask: -> 81 84 … 6d61736b, <- 81 84 … 6d61736b. §5.1: a client MUST close the connection.`,
    },
    { cases: 'handshake.client-accepts-connection-*', verdict: 'FAILED', why: EQUAL_CONNECTION },
    {
      cases: 'handshake.client-refuses-status-of-four-digits',
      verdict: 'FAILED',
      why: `-> "HTTP/1.1 1010 Switching Protocols": its parser takes the first three digits for the status and the fourth for the phrase.`,
    },
    {
      cases: 'subprotocol.client-refuses-empty-name extension.client-refuses-empty-field',
      verdict: 'FAILED',
      why: `A field that is there and empty counts as not there: -> "Sec-WebSocket-Protocol: ". §4.1: what was not offered, or does not
        keep to the grammar, fails the connection.`,
    },
  ],
  'faye-websocket': [
    {
      cases: 'close-code.101*-with-reason',
      verdict: 'NON-STRICT',
      why: `It refuses codes that were registered after the RFC: -> 88 0a 03f4 "a reason", <- 88 0a 03ea (1002). 1012 to 1014 are in the
        registry of IANA.`,
    },
  ],
  undici: [
    { cases: 'deflate.rsv1-on-*', why: RSV1 },
    { cases: 'deflate.out-of-order-continuation', verdict: 'FAILED', why: STRAY_CONTINUATION },
    {
      cases:
        'extension.client-refuses-deflate-* extension.client-refuses-empty-field extension.client-refuses-name-that-is-no-token extension.client-refuses-unoffered* subprotocol.client-refuses-* handshake.client-refuses-*',
      verdict: 'FAILED',
      why: `It sees the fault, reports "error" and "close" to the program, and leaves TCP open: the server still had the connection when 12 s had
        passed. §4.1 and §7.1.7: it MUST fail the connection, which includes closing it. The undici inside of Node.js 24 does.`,
    },
    { cases: 'extension.client-refuses-*', verdict: 'FAILED', why: UNCHECKED_PARAMETERS },
    { cases: 'handshake.client-accepts-connection-*', verdict: 'FAILED', why: EQUAL_CONNECTION },
    {
      cases: 'handshake.client-accepts-*-around-values',
      verdict: 'FAILED',
      why: '-> "Sec-WebSocket-Accept:\\t… \\t ": whitespace around a value does not belong to it (RFC 9110 §5.5); it is compared with it.',
    },
    {
      cases: 'extension.client-accepts-whitespace-in-the-list',
      verdict: 'NON-STRICT',
      why: 'It refuses a list of extensions that has tabs and spaces around its separators, as the grammar allows.',
    },
    { cases: 'utf8.byte-order-mark-kept', verdict: 'FAILED', why: BOM },
  ],
  node: [
    { cases: 'deflate.rsv1-on-*', why: RSV1 },
    { cases: 'deflate.out-of-order-continuation', verdict: 'FAILED', why: STRAY_CONTINUATION },
    { cases: 'extension.client-refuses-*', verdict: 'FAILED', why: UNCHECKED_PARAMETERS },
    { cases: 'handshake.client-accepts-connection-*', verdict: 'FAILED', why: EQUAL_CONNECTION },
    {
      cases: 'handshake.client-accepts-*-around-values',
      verdict: 'FAILED',
      why: '-> "Sec-WebSocket-Accept:\\t… \\t ": whitespace around a value does not belong to it (RFC 9110 §5.5); it is compared with it.',
    },
    {
      cases: 'extension.client-accepts-whitespace-in-the-list',
      verdict: 'NON-STRICT',
      why: 'It refuses a list of extensions that has tabs and spaces around its separators, as the grammar allows.',
    },
    { cases: 'utf8.byte-order-mark-kept', verdict: 'FAILED', why: BOM },
  ],
  chromium: [
    {
      cases: '6.*',
      verdict: 'WRONG CODE',
      why: UTF8_1002,
    },
    { cases: 'close-code.fault-bad-text*', verdict: 'NON-STRICT', why: UTF8_1002 },
    { cases: '7.9.* close-code.*-refused', why: UNCHECKED_CODE },
  ],
  'python-websockets-server': [
    { cases: 'deflate.hint-*', verdict: 'UNIMPLEMENTED', why: TAKES_HINT },
    {
      cases: 'handshake.server-refuses-version-*',
      verdict: 'FAILED',
      why: '<- 400 without Sec-WebSocket-Version. §4.2.2: the answer MUST name the versions that the server has.',
    },
    {
      cases: 'handshake.server-refuses-*',
      verdict: 'FAILED',
      why: `It looks neither at the target nor at Host: -> "GET chat", "GET *", no Host, Host twice, <- 101. §4.2.1.`,
    },
    {
      cases:
        'extension.server-deflate-among-many-offers extension.server-deflate-server-window-is-at-most-asked deflate.peer-window-of-8-bits',
      why: `-> server_max_window_bits=8, <- 500 Internal Server Error: its zlib has no window of 8 bits, and nobody catches the exception.
        It could decline the offer (RFC 7692 §7.1.2.1).`,
    },
  ],
  'python-websockets-client': [
    {
      cases: 'deflate.peer-window-of-8-bits',
      verdict: 'FAILED',
      why: `It offers client_max_window_bits without a value, and when the answer is 8 it ends TCP without a word, because its zlib has no such
        window. A client that cannot do what was agreed has to fail the connection (RFC 7692 §7.1), but it should not have left it open.`,
    },
  ],
  'python-websockets': [
    {
      cases: 'length.ping-* length.pong-*',
      verdict: 'NON-STRICT',
      why: `It looks at the length of a control frame when all of its payload has come: -> 89 fe 007e, half a second, the payload, and only
        then <- 88 … 03ea. §5.5 only has it not accept more than 125 bytes.`,
    },
    {
      cases: 'masking.*-masks-*',
      verdict: 'FAILED',
      why: 'It answers a Ping before it echoes the messages in front of it, and this case expects the order in which it sent them.',
    },
    {
      cases: 'closing.failure-ends-tcp-unanswered',
      verdict: 'INFORMATIONAL',
      why: 'After its own Close frame for a fault it waits for an answer, 10 s at most, before it ends TCP.',
    },
  ],
};

const IN_PIECES = `The frames of this case come in several TCP writes. Whether the good message is echoed (OK) or dropped (NON-STRICT) before
  the connection is failed depends on how many of them it reads at once.`;
const PIECES = { 3.3: IN_PIECES, 3.4: IN_PIECES, '4.1.5': IN_PIECES, '4.2.5': IN_PIECES };

/** Cases whose verdict is another from run to run: left out of the recorded verdicts. By PEER-ROLE, then by id. */
/** @type {Record<string, Record<string, string>>} */
export const UNSTABLE = {
  'websocket-server': {
    'handshake.server-half-a-frame-in-the-segment-of-the-request':
      'The half frame is lost (NON-STRICT) where one read brings it together with the request, and kept (OK) where it comes in the next one.',
  },
  'faye-websocket-server': { '4.2.5': IN_PIECES },
  'chromium-client': PIECES,
  'python-websockets-server': PIECES,
  'python-websockets-client': PIECES,
};
