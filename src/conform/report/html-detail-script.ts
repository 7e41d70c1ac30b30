// The first half of the script of the HTML report: small things that make elements, and the panel of one case with its log.
// It runs in a browser. Text comes in as text only (`textContent`), never as markup.

export const DETAIL_SCRIPT = String.raw`
const data = JSON.parse(document.getElementById('data').textContent);
const WORDS = {
  OK: 'Pass', 'NON-STRICT': 'Non-Strict', INFORMATIONAL: 'Info', UNIMPLEMENTED: 'Unimplemented', FAILED: 'Fail',
  UNCLEAN: 'Unclean', 'WRONG CODE': 'Wrong Code', 'FAILED BY CLIENT': 'Failed by Client',
};
const MEANINGS = {
  OK: 'as the rule asks', 'NON-STRICT': 'allowed, but not the best way', INFORMATIONAL: 'the rule leaves it open',
  UNIMPLEMENTED: 'an optional part that is not there', FAILED: 'against the rule',
};
const CLOSE_MEANINGS = {
  OK: 'as it should be', INFORMATIONAL: 'the rule leaves it open', UNCLEAN: 'without a whole closing handshake',
  'WRONG CODE': 'with a close code that does not fit', 'FAILED BY CLIENT': 'the tester had to drop the TCP connection',
  FAILED: 'by the wrong side, or never',
};

function byId(id) { return document.getElementById(id); }

/** An element with attributes and children; text is text. */
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  element.append(...children);
  return element;
}

function classOf(verdict) { return 'v-' + verdict.toLowerCase().replaceAll(' ', '-'); }

function number(value) {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

function plural(count, noun) { return count.toLocaleString('en') + ' ' + noun + (count === 1 ? '' : 's'); }

function addressOf(info, agent) {
  return '#' + encodeURIComponent(info.id) + (agent ? '/' + encodeURIComponent(agent.label) : '');
}

/** The link of a section of an RFC, if the text names one. */
function sectionLink(text) {
  const found = /RFC ?(\d+),? §([\d.]*\d)/.exec(text);
  if (!found) return text;
  const href = 'https://www.rfc-editor.org/rfc/rfc' + found[1] + '#section-' + found[2];
  return make('a', { href, rel: 'noreferrer' }, text);
}

function facts(pairs) {
  const rows = pairs.filter(([, value]) => value !== '' && value !== null);
  return make('dl', { class: 'facts' }, ...rows.map(([name, value]) => {
    const values = Array.isArray(value) ? value : [value];
    return make('div', {}, make('dt', {}, name), make('dd', {}, ...values));
  }));
}

function chip(verdict, text) { return make('span', { class: 'chip ' + classOf(verdict) }, text || WORDS[verdict]); }

function closeText(close, nobody) {
  if (!close) return nobody;
  if (close.code === null) return 'a Close frame without a code';
  const name = data.closeNames[close.code];
  return close.code + (name ? ' ' + name : '') + (close.reason ? ', “' + close.reason + '”' : '');
}

function showCase(panel, info, agentIndex, neighbours, onRequirement) {
  const link = (target, text, label) => target
    ? make('a', { href: addressOf(target, data.agents[agentIndex]), class: 'button', 'aria-label': label + ' ' + target.id }, text)
    : make('span', { class: 'button off' }, text);
  const requirements = info.requirements.map((id) => {
    const button = make('button', { type: 'button', class: 'tag' }, id);
    button.title = 'Show the cases of ' + id;
    button.addEventListener('click', () => onRequirement(id));
    return button;
  });
  panel.replaceChildren(
    make('div', { class: 'panel-head' },
      make('h2', { id: 'detail-title', tabindex: '-1' }, make('b', {}, info.id), ' ', info.title),
      make('nav', { 'aria-label': 'Cases' },
        link(neighbours[0], '‹', 'Case before:'), link(neighbours[1], '›', 'Case after:'),
        make('a', { href: '#/', id: 'close', class: 'button', 'aria-label': 'Close this panel' }, '×'))),
    make('div', { class: 'panel-body' },
      facts([
        ['Rule', info.rule],
        ['Section', sectionLink(info.rfc)],
        ['Requirements', requirements.length ? requirements : ''],
        ['The tester', info.title],
        ['Expected', info.expectation],
      ]),
      agentTabs(info, agentIndex),
      resultOf(info, agentIndex)),
  );
}

function agentTabs(info, agentIndex) {
  const links = data.agents.map((agent, index) => {
    const result = info.results[index];
    const link = make('a', { href: addressOf(info, agent) }, make('span', { class: 'name' }, agent.label),
      result ? chip(result.o) : make('span', { class: 'chip v-none' }, 'Not run'));
    if (index === agentIndex) link.setAttribute('aria-current', 'true');
    return link;
  });
  return make('nav', { class: 'tabs', 'aria-label': 'Agents' }, ...links);
}

function resultOf(info, agentIndex) {
  const agent = data.agents[agentIndex];
  const result = info.results[agentIndex];
  if (!result) return make('p', { class: 'empty' }, agent.label + ' did not run this case.');
  const ended = { tester: 'the tester', peer: 'the agent' }[result.dropped] || 'nobody: there was none, or it is not known';
  return make('div', { class: 'result' },
    facts([
      ['Verdict', [chip(result.b), ' ' + MEANINGS[result.b]]],
      ['Its end', [chip(result.c), ' ' + CLOSE_MEANINGS[result.c]]],
      ['Finding', make('p', { class: 'finding' }, result.finding)],
      ['Close of agent', closeText(result.peer, 'no Close frame came')],
      ['Close of tester', closeText(result.tester, 'no Close frame was sent')],
      ['TCP ended by', ended],
      ['Duration', number(result.ms) + ' ms, begun ' + result.at],
    ]),
    make('h3', {}, 'On the wire'),
    result.wire.length === 0 ? make('p', { class: 'hint' }, 'Nothing was recorded.') : wireLog(result.wire, agent));
}

function wireLog(wire, agent) {
  const testerRole = agent.subject === 'server' ? 'client' : 'server';
  const roles = [testerRole, agent.subject];
  return make('ol', { class: 'wire' }, ...wire.map((record) => {
    const kind = record[0];
    if (kind === 5) return make('li', { class: 'gap' }, plural(record[1], 'record') + ' left out');
    const time = make('span', { class: 'time' }, record[1].toFixed(2) + ' ms');
    if (kind === 4) return make('li', { class: 'note' }, time, make('span', {}, record[2]));
    const side = kind % 2;
    const from = make('span', { class: 'from' }, side === 0 ? 'tester →' : '← agent');
    return make('li', { class: 'from-' + roles[side] }, ...(kind < 2 ? frameRow(record, time, from) : bytesRow(record, time, from)));
  }));
}

function bytesRow([, , length, text], time, from) {
  const shown = text.replace(/\r\n/g, '\n').replace(/[^\n\x20-\x7e]/g, '·').replace(/\n+$/, '');
  const head = make('div', { class: 'frame' }, time, from, make('span', { class: 'opcode' }, 'bytes'), make('span', { class: 'bits' }, plural(length, 'byte')));
  return [head, make('pre', { tabindex: '0' }, shown)];
}

function frameRow([, , opcode, bits, length, payload, mask, chop], time, from) {
  const flags = [bits & 8 ? 'FIN' : '', bits & 4 ? 'RSV1' : '', bits & 2 ? 'RSV2' : '', bits & 1 ? 'RSV3' : ''];
  const head = make('div', { class: 'frame' }, time, from,
    make('span', { class: 'opcode' }, data.opcodes[opcode] + (data.opcodes[opcode] === 'reserved' ? ' 0x' + opcode.toString(16) : '')),
    make('span', { class: 'bits' }, flags.filter(Boolean).join(' ') || 'no FIN'),
    make('span', { class: 'bits' }, mask ? 'mask ' + mask : 'not masked'),
    make('span', { class: 'bits' }, plural(length, 'byte')));
  if (chop) head.append(make('span', { class: 'bits' }, 'written ' + plural(chop, 'byte') + ' at a time'));
  if (payload === '') return [head];
  const bytes = Uint8Array.from(payload.match(/../g), (pair) => parseInt(pair, 16));
  const more = length > bytes.length ? ' …' : '';
  const hex = payload.replace(/../g, '$& ').trim() + more;
  const text = payloadText(bytes, opcode, bits, more);
  const rows = [head, make('pre', { class: 'hex', tabindex: '0' }, hex)];
  if (text !== '') rows.splice(1, 0, make('pre', { class: 'text' }, text));
  return rows;
}

function payloadText(bytes, opcode, bits, more) {
  if (opcode === 2 || (bits & 4)) return '';
  if (opcode !== 8) return visible(bytes) + more;
  if (bytes.length < 2) return '';
  return (bytes[0] * 256 + bytes[1]) + (bytes.length > 2 ? ' ' + visible(bytes.subarray(2)) : '') + more;
}

/** Bytes as text; control characters are written as in a string of a program. */
function visible(bytes) {
  const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  return new TextDecoder().decode(bytes).replace(/[\0-\x1f]/g, (character) =>
    named[character] || '\\x' + character.charCodeAt(0).toString(16).padStart(2, '0'));
}
`;
