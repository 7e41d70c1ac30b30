// The list of records: one row for each, with the anatomy of a frame inside. Rows are made of text nodes only, so that
// nothing a peer sends is ever read as markup.

/** Rows beyond this are discarded, oldest first. */
const MAX_ROWS = 2000;

/** Makes an element. */
export function element(tag, properties = {}, ...children) {
  const { dataset, attributes, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  Object.assign(node.dataset, dataset);
  for (const [name, value] of Object.entries(attributes ?? {})) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export class FrameLog {
  #list;
  #onChange;
  /** { record, row } of everything that is shown or filtered out */
  #entries = [];
  /** Records that wait for the next animation frame, or for the end of a pause. */
  #waiting = [];
  #discarded = 0;
  #isPaused = false;
  #isScheduled = false;
  #filter = { from: '', name: '', text: '' };
  #lastPing = new Map();

  /** @param onChange called with { shown, total, waiting, discarded } */
  constructor(list, onChange) {
    this.#list = list;
    this.#onChange = onChange;
  }

  add(record) {
    this.#waiting.push(record);
    if (this.#waiting.length > MAX_ROWS) {
      this.#waiting.shift();
      this.#discarded += 1;
    }
    if (this.#isPaused) this.#changed();
    else this.#schedule();
  }

  set isPaused(value) {
    this.#isPaused = value;
    if (!value) this.#schedule();
    this.#changed();
  }

  set filter(filter) {
    this.#filter = filter;
    for (const { record, row } of this.#entries) row.hidden = !matches(record, filter);
    this.#changed();
  }

  clear() {
    this.#entries = [];
    this.#waiting = [];
    this.#discarded = 0;
    this.#list.replaceChildren();
    this.#changed();
  }

  /** Everything that is kept, as JSON Lines. */
  toText() {
    return this.#entries.map(({ record }) => `${JSON.stringify(record)}\n`).join('');
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      if (!this.#isPaused) this.#flush();
    });
  }

  #flush() {
    const list = this.#list;
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    const rows = this.#waiting.map((record) => {
      const previous = this.#entries.at(-1)?.record;
      const row = makeRow(record, previous, this.#sincePing(record));
      row.hidden = !matches(record, this.#filter);
      this.#entries.push({ record, row });
      return row;
    });
    this.#waiting = [];
    list.append(...rows);
    for (const { row } of this.#entries.splice(0, Math.max(0, this.#entries.length - MAX_ROWS))) {
      row.remove();
      this.#discarded += 1;
    }
    if (isAtEnd) list.scrollTop = list.scrollHeight;
    this.#changed();
  }

  /** For a Pong: the milliseconds since the Ping that it answers left the other side. */
  #sincePing(record) {
    if (record.name !== 'ping' && record.name !== 'pong') return undefined;
    const asker = record.name === 'ping' ? record.from : record.from === 'client' ? 'server' : 'client';
    const key = `${record.connection} ${asker} ${record.payload.hex}`;
    if (record.name === 'ping') {
      if (this.#lastPing.size > 100) this.#lastPing.clear();
      this.#lastPing.set(key, record.at);
      return undefined;
    }
    const sentAt = this.#lastPing.get(key);
    return sentAt === undefined ? undefined : record.at - sentAt;
  }

  #changed() {
    const frames = this.#entries.filter(({ record }) => record.type === 'frame');
    this.#onChange({
      shown: frames.filter(({ row }) => !row.hidden).length,
      total: frames.length,
      rows: this.#entries.length,
      waiting: this.#waiting.length,
      discarded: this.#discarded,
    });
  }
}

function matches(record, { from, name, text }) {
  if (from !== '' && record.from !== undefined && record.from !== from) return false;
  if (name === 'violation') return (record.violations?.length ?? 0) > 0;
  if (name !== '' && (record.name ?? record.type) !== name) return false;
  if (text === '') return true;
  const wanted = text.toLowerCase();
  const hex = wanted.replace(/\s/g, '');
  const contents = [record.payload, record.message].filter((part) => part?.hex !== undefined);
  return (
    [record.head, record.text, record.event, record.close?.reason, ...contents.map((part) => part.text)].some(
      (each) => each?.toLowerCase().includes(wanted),
    ) || contents.some((part) => /^[0-9a-f]+$/.test(hex) && part.hex.includes(hex))
  );
}

function makeRow(record, previous, sincePing) {
  if (record.type === 'frame') return makeFrameRow(record, previous, sincePing);
  if (record.type === 'handshake') return makeHandshakeRow(record);
  const who = { client: 'the client ', server: 'the server ' }[record.from] ?? '';
  const text = record.type === 'tcp' ? `${who}${record.event}` : record.text;
  const tag = record.at === undefined ? '' : `${formatTime(record.at)}  `;
  return element(
    'li',
    { className: record.isAlarm ? 'note alarm' : 'note' },
    element('span', { className: 'time' }, tag),
    text,
  );
}

const ARROWS = { client: 'client →', server: '← server' };

function makeFrameRow(record, previous, sincePing) {
  const bits = ['fin', 'rsv1', 'rsv2', 'rsv3', 'masked'].filter((bit) => record[bit]);
  const preview = element('span', { className: 'preview' }, previewOf(record));
  for (const fact of factsOf(record, sincePing)) preview.append(element('small', {}, fact));
  const row = makeDetails(
    record,
    [
      element(
        'span',
        { className: 'opcode' },
        record.name === 'reserved' ? `0x${record.opcode.toString(16)}` : record.name,
      ),
      element('span', { className: 'bits' }, ...bits.map((bit) => element('span', {}, BIT_NAMES[bit]))),
      element('span', { className: 'key' }, record.maskingKey ?? ''),
      element('span', { className: 'bytes' }, String(record.payloadLength)),
      preview,
    ],
    () => makeAnatomy(record, previous),
  );
  row.classList.toggle('violated', record.violations.length > 0);
  return row;
}

const BIT_NAMES = { fin: 'FIN', rsv1: 'RSV1', rsv2: 'RSV2', rsv3: 'RSV3', masked: 'MASK' };

function previewOf(record) {
  if (record.close)
    return `${record.close.code} ${record.close.name}${record.close.reason && `: ${record.close.reason}`}`;
  const content = record.message?.hex === undefined ? record.payload : record.message;
  const text =
    content.text === undefined
      ? spaced(content.hex.slice(0, 160))
      : printable(essence(content.text).slice(0, 300));
  return text === '' ? '(empty)' : text;
}

const CALL = /^\{"jsonrpc":"2\.0",(?:"id":(\d+),)?"method":"([^"]*)"(?:,"params":(.*))?\}$/s;
const ANSWER = /^\{"jsonrpc":"2\.0","id":(\d+),"(result|error)":(.*)\}$/s;

/** What differs between messages of JSON-RPC, which begin all alike; other text as it is. */
function essence(text) {
  const [, id, name, rest = ''] = CALL.exec(text) ?? ANSWER.exec(text) ?? [];
  return name === undefined ? text : `${id === undefined ? '' : `#${id} `}${name} ${rest}`;
}

function factsOf(record, sincePing) {
  const facts = record.violations.map(({ message, section }) => `${message} (${section})`);
  if (record.rsv1 && record.message?.length !== undefined)
    facts.push(`inflated to ${record.message.length} bytes`);
  else if (record.rsv1) facts.push('compressed');
  if (sincePing !== undefined) facts.push(`${sincePing.toFixed(2)} ms after its ping`);
  return facts;
}

function makeHandshakeRow(record) {
  const [startLine, ...lines] = record.head.split('\r\n');
  return makeDetails(
    record,
    [
      element('span', { className: 'opcode' }, record.from === 'client' ? 'request' : 'response'),
      element('span', { className: 'bits' }, 'HTTP'),
      element('span', { className: 'key' }, ''),
      element('span', { className: 'bytes' }, ''),
      element('span', { className: 'preview' }, startLine),
    ],
    () =>
      element(
        'div',
        { className: 'anatomy' },
        makeTable(
          `Opening handshake, ${record.from === 'client' ? 'request' : 'response'}`,
          [
            {
              name: record.from === 'client' ? 'Request line' : 'Status line',
              value: startLine,
              section: record.section,
            },
          ].concat(lines.map(explainHeader)),
          ['name', 'value', 'meaning', 'section'],
        ),
      ),
  );
}

const HEADERS = {
  host: ['the server that is meant', '§4.1'],
  upgrade: ['asks for, or grants, the change to WebSocket', '§4.1'],
  connection: ['says that Upgrade concerns this connection', '§4.1'],
  origin: ['the site of the page that connects; the server refuses others than its own', '§10.2'],
  'sec-websocket-key': ['16 random bytes in base64, new for each connection', '§11.3.1'],
  'sec-websocket-version': ['the version of the protocol', '§11.3.5'],
  'sec-websocket-protocol': ['subprotocols: offered by the client, one chosen by the server', '§11.3.4'],
  'sec-websocket-extensions': ['extensions: offered by the client, accepted by the server', '§11.3.2'],
  'sec-websocket-accept': [
    'SHA-1 of the key and a fixed GUID, in base64: proof that the server understood',
    '§11.3.3',
  ],
};

function explainHeader(line) {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  const [meaning, section] = HEADERS[name.toLowerCase()] ?? ['', ''];
  return { name, value: line.slice(colon + 1).trim(), meaning, section };
}

/** A row that opens; its content is made when it is opened for the first time. */
function makeDetails(record, cells, makeContent) {
  const summary = element(
    'summary',
    {},
    element('span', { className: 'time', title: new Date(record.at).toISOString() }, formatTime(record.at)),
    element('span', { className: 'from' }, ARROWS[record.from] ?? record.from),
    ...cells,
  );
  const details = element('details', {}, summary);
  details.addEventListener('toggle', () => details.open && details.append(makeContent()), { once: true });
  return element('li', { className: `from-${record.from}` }, details);
}

function makeAnatomy(record, previous) {
  const anatomy = element('div', { className: 'anatomy' });
  if (record.violations.length > 0) {
    const items = record.violations.map(({ message, section, closeCode }) =>
      element(
        'li',
        {},
        `${message} (`,
        linkTo(section),
        `); an endpoint fails the connection with ${closeCode}`,
      ),
    );
    anatomy.append(element('ul', { className: 'violations' }, ...items));
  }
  const cells = record.fields.map(({ name, wire, value }) => {
    const bits = wire.replace(/[. ]/g, '');
    const isBits = wire.includes('.');
    const isSet = isBits ? bits.includes('1') : true;
    const shown = isBits ? bits : wire.length > 24 ? `${wire.slice(0, 23)}…` : wire;
    const label = isBits && bits.length > 1 ? `${name} ${value}` : name;
    return element(
      'div',
      { className: isSet ? 'cell set' : 'cell' },
      element('b', {}, shown),
      element('span', { className: 'cell-label' }, label),
    );
  });
  anatomy.append(element('div', { className: 'strip', attributes: { 'aria-hidden': 'true' } }, ...cells));
  const gap =
    previous?.at === undefined ? '' : `, ${(record.at - previous.at).toFixed(2)} ms after the row before`;
  const caption = `Connection ${record.connection}, ${formatTime(record.at)}${gap}`;
  anatomy.append(makeTable(caption, record.fields, ['name', 'wire', 'value', 'meaning', 'section']));
  anatomy.append(...makeContents(record));
  return anatomy;
}

function makeContents(record) {
  const parts = [];
  const { payload, message } = record;
  if (payload.hex !== '') {
    const kind = record.rsv1
      ? 'Payload, unmasked and still compressed'
      : record.masked
        ? 'Payload, unmasked'
        : 'Payload';
    parts.push(heading(`${kind}${shownOf(payload)}`), dump(hexRows(payload.hex), 'dump'));
    if (payload.text !== undefined) parts.push(heading('As text'), dump(payload.text, 'dump text'));
  }
  if (message?.unknown !== undefined) parts.push(heading(`Message: ${message.unknown}`));
  if (message?.hex !== undefined) {
    parts.push(heading(`Message, inflated to ${message.length} bytes${shownOf(message)}`));
    parts.push(
      message.text === undefined ? dump(hexRows(message.hex), 'dump') : dump(message.text, 'dump text'),
    );
  }
  return parts;
}

function shownOf({ isWhole, hex, length }) {
  return isWhole ? '' : ` (the first ${hex.length / 2} of ${length} bytes)`;
}

function heading(text) {
  return element('h3', {}, text);
}

function dump(text, className) {
  return element('pre', { className, tabIndex: 0 }, text);
}

const COLUMN_TITLES = {
  name: 'Field',
  wire: 'On the wire',
  value: 'Value',
  meaning: 'Meaning',
  section: 'RFC 6455',
};

function makeTable(caption, rows, columns) {
  const head = element(
    'tr',
    {},
    ...columns.map((column) => element('th', { scope: 'col' }, COLUMN_TITLES[column])),
  );
  const body = rows.map((row) =>
    element(
      'tr',
      {},
      ...columns.map((column, index) => {
        const content = column === 'section' ? linkTo(row.section ?? '') : printable(row[column] ?? '');
        return index === 0
          ? element('th', { scope: 'row' }, content)
          : element('td', { className: column }, content);
      }),
    ),
  );
  return element(
    'table',
    { className: 'fields' },
    element('caption', {}, caption),
    element('thead', {}, head),
    element('tbody', {}, ...body),
  );
}

/** `§5.2` or `RFC 7692 §6` as a link to the text of the RFC. */
function linkTo(section) {
  const [, rfc = '6455', number] = /(?:RFC (\d+) )?§([\d.]+)/.exec(section) ?? [];
  if (number === undefined) return section;
  const href = `https://www.rfc-editor.org/rfc/rfc${rfc}#section-${number}`;
  return element('a', { href, target: '_blank', rel: 'noreferrer' }, section);
}

/** Lines of 16 bytes, or 8 where the screen is narrow: offset, hexadecimal, ASCII. */
function hexRows(hex) {
  const digits = matchMedia('(max-width: 48rem)').matches ? 16 : 32;
  const rows = [];
  for (let at = 0; at < hex.length; at += digits) {
    const row = hex.slice(at, at + digits);
    const ascii = row.replace(/../g, (pair) => {
      const code = Number.parseInt(pair, 16);
      return code > 0x1f && code < 0x7f ? String.fromCharCode(code) : '·';
    });
    rows.push(`${(at / 2).toString(16).padStart(4, '0')}  ${spaced(row).padEnd(digits * 1.5 - 1)}  ${ascii}`);
  }
  return rows.join('\n');
}

function spaced(hex) {
  return hex.replace(/..(?=.)/g, '$& ');
}

/** Control characters as their Unicode pictures, so that they can be seen. */
function printable(text) {
  return text.replace(/\p{Cc}/gu, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '␡' : '�';
  });
}

function formatTime(at) {
  const time = new Date(at);
  const part = (value, width = 2) => String(value).padStart(width, '0');
  const seconds = `${part(time.getSeconds())}.${part(time.getMilliseconds(), 3)}`;
  return `${part(time.getHours())}:${part(time.getMinutes())}:${seconds}`;
}
