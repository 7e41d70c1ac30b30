// The second half of the script of the HTML report: totals, matrix, filters, the address of the page, and the speed tables.
// It runs in a browser, after the first half. The panel of a case is made when it is opened; the matrix is made at once.

export const MATRIX_SCRIPT = String.raw`
const matrix = byId('matrix');
const panel = byId('detail');
const overview = byId('overview');
const filters = { text: byId('text'), verdict: byId('verdict'), agent: byId('agent'), section: byId('section'), requirement: byId('requirement') };
const narrow = matchMedia('(max-width: 70rem)');
const rows = [];
const bodies = [];
let opener = null;

function closeLabel(result) {
  const code = result.peer && result.peer.code !== null ? String(result.peer.code) : '';
  if (result.c === 'OK' || result.c === 'INFORMATIONAL') return code || '–';
  return WORDS[result.c] + (result.c === 'WRONG CODE' && code ? ' ' + code : '');
}

function makeCell(info, index) {
  const result = info.results[index];
  if (!result) return make('td', {}, make('span', { class: 'cell v-none' }, make('span', {}, 'not run')));
  const isWrongEnd = result.c !== 'OK' && result.c !== 'INFORMATIONAL';
  return make('td', {}, make('a', { href: addressOf(info, data.agents[index]), class: 'cell ' + classOf(result.b), tabindex: '-1' },
    make('span', {}, WORDS[result.b]),
    make('span', { class: 'end' + (isWrongEnd && result.b !== 'FAILED' ? ' ' + classOf(result.c) : '') },
      make('span', { class: 'sr' }, ', close '), closeLabel(result))));
}

function makeRow(info) {
  const cells = data.agents.map((_, index) => makeCell(info, index));
  const link = make('a', { href: addressOf(info), tabindex: '-1' }, make('b', {}, info.id), ' ', make('span', {}, info.title));
  const element = make('tr', {}, make('th', { scope: 'row' }, link), ...cells);
  const findings = info.results.map((result) => result ? result.finding : '');
  const words = [info.id, info.title, info.rule, info.rfc, info.expectation, ...info.requirements, ...findings];
  rows.push({ info, element, words: words.join('\n').toLowerCase(), links: [...element.querySelectorAll('a')] });
  return element;
}

function makeMatrix() {
  const heads = data.agents.map((agent) => make('th', { scope: 'col' },
    make('span', { class: 'name', title: agent.name }, agent.name), make('small', {}, agent.subject)));
  matrix.append(make('caption', { class: 'sr' }, 'Verdicts of each agent in each case'));
  matrix.append(make('thead', {}, make('tr', {}, make('th', { scope: 'col' }, 'Case'), ...heads)));
  for (const { key, title } of data.sections) {
    const cases = data.cases.filter((info) => info.key === key);
    const label = make('span', {}, title, make('small', {}, plural(cases.length, 'case')));
    const head = make('tr', {}, make('th', { scope: 'rowgroup', colspan: String(data.agents.length + 1) }, label));
    const element = make('tbody', {}, head, ...cases.map(makeRow));
    bodies.push({ key, element });
    matrix.append(element);
  }
  if (rows.length > 0) rows[0].links[0].tabIndex = 0;
}

function makeTotals() {
  const words = data.verdicts.filter((word) => data.agents.some(({ totals }) => totals[word]));
  const head = ['Agent', 'Judged as', 'Cases', ...words.map((word) => WORDS[word])];
  const body = data.agents.map((agent, index) => {
    const counts = words.map((word) => {
      const count = agent.totals[word] || 0;
      if (count === 0) return make('td', { class: 'none' }, '0');
      const button = make('button', { type: 'button', class: 'chip ' + classOf(word) }, count.toLocaleString('en'));
      button.setAttribute('aria-label', count + ' ' + WORDS[word] + ' of ' + agent.label + ': show them');
      button.addEventListener('click', () => { filterBy({ verdict: word, agent: String(index) }); byId('filters').scrollIntoView(); });
      return make('td', {}, button);
    });
    return make('tr', {}, make('th', { scope: 'row' }, make('span', { class: 'name' }, agent.name), bar(agent, words)),
      make('td', {}, agent.subject), make('td', {}, agent.count.toLocaleString('en')), ...counts);
  });
  byId('totals').append(make('thead', {}, make('tr', {}, ...head.map((text) => make('th', { scope: 'col' }, text)))), make('tbody', {}, ...body));
}

function bar(agent, words) {
  const parts = words.filter((word) => agent.totals[word]).map((word) => {
    const part = make('span', { class: classOf(word) });
    part.style.flexGrow = agent.totals[word];
    return part;
  });
  return make('span', { class: 'share', 'aria-hidden': 'true' }, ...parts);
}

function makeFilters() {
  const option = (value, text) => make('option', { value }, text);
  const words = data.verdicts.filter((word) => data.agents.some(({ totals }) => totals[word]));
  filters.verdict.append(option('', 'Any'), option('not-ok', 'Not Pass'), option('differ', 'Agents differ'),
    ...words.map((word) => option(word, WORDS[word])), option('none', 'Not run'));
  filters.agent.append(option('', 'Any agent'), ...data.agents.map(({ label }, index) => option(String(index), label)));
  filters.section.append(option('', 'All sections'), ...data.sections.map(({ key, title }) => option(key, title)));
  const ids = new Set(data.cases.flatMap(({ requirements }) => requirements));
  byId('requirements').append(...[...ids].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).map((id) => option(id, '')));
  byId('filters').addEventListener('input', applyFilters);
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  byId('reset').addEventListener('click', () => setTimeout(applyFilters));
}

function filterBy(values) {
  for (const name in filters) filters[name].value = values[name] || '';
  applyFilters();
}

function fitsVerdict(info, verdict, agent) {
  if (verdict === '') return true;
  const words = info.results.map((result) => result ? result.o : 'none');
  if (verdict === 'differ') return new Set(words).size > 1;
  const judged = agent === '' ? words : [words[agent]];
  return verdict === 'not-ok' ? judged.some((word) => word !== 'OK' && word !== 'none') : judged.includes(verdict);
}

function applyFilters() {
  const { verdict, agent, section } = Object.fromEntries(Object.entries(filters).map(([name, field]) => [name, field.value]));
  const words = filters.text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const requirement = filters.requirement.value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits = (section === '' || row.info.key === section) && fitsVerdict(row.info, verdict, agent)
      && (requirement === '' || row.info.requirements.some((id) => id.toLowerCase() === requirement || id.toLowerCase().startsWith(requirement + '-')))
      && words.every((word) => row.words.includes(word));
    row.element.hidden = !fits;
    if (fits) shown += 1;
  }
  for (const { element } of bodies) element.hidden = !element.querySelector('tr:not(:first-child):not([hidden])');
  byId('nothing').hidden = shown > 0;
  byId('count').textContent = shown === rows.length ? plural(shown, 'case') : shown.toLocaleString('en') + ' of ' + plural(rows.length, 'case');
  const first = visibleRows()[0];
  if (first && !matrix.querySelector('tr:not([hidden]) > * > a[tabindex="0"]')) moveTabStop(first.links[0]);
}

function visibleRows() { return rows.filter(({ element }) => !element.hidden); }

/** Of all cells one is reached by Tab; arrow keys lead to the others. */
function moveTabStop(link) {
  for (const old of matrix.querySelectorAll('a[tabindex="0"]')) old.tabIndex = -1;
  link.tabIndex = 0;
}

function moveFocus(event) {
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-12, 0], PageDown: [12, 0], Home: [-1e6, 0], End: [1e6, 0] };
  const step = steps[event.key];
  const link = event.target.closest('a');
  if (!step || !link || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const list = visibleRows();
  const y = list.findIndex(({ links }) => links.includes(link));
  const row = list[Math.max(0, Math.min(list.length - 1, y + step[0]))];
  const x = list[y].links.indexOf(link) + step[1];
  row.links[Math.max(0, Math.min(row.links.length - 1, x))].focus();
}

/** Shows the case that the address names, or none. */
function followAddress(event) {
  const isFirst = event === undefined;
  const parts = location.hash.slice(1).split('/');
  let id = '';
  let label = '';
  try { [id, label] = [decodeURIComponent(parts[0]), decodeURIComponent(parts[1] || '')]; } catch { /* a damaged address names no case */ }
  const row = rows.find(({ info }) => info.id === id);
  for (const marked of matrix.querySelectorAll('.open')) marked.classList.remove('open');
  document.body.classList.toggle('has-detail', row !== undefined);
  panel.hidden = row === undefined;
  overview.inert = row !== undefined && narrow.matches;
  if (row === undefined) {
    document.title = 'WebSocket conformance';
    panel.replaceChildren();
    if (opener) opener.focus({ preventScroll: true });
    opener = null;
    return;
  }
  const named = data.agents.findIndex((agent) => agent.label === label);
  const ran = row.info.results.findIndex(Boolean);
  const index = named >= 0 ? named : Math.max(0, ran);
  const list = visibleRows();
  const at = list.indexOf(row);
  const neighbours = at < 0 ? [] : [list[at - 1] && list[at - 1].info, list[at + 1] && list[at + 1].info];
  showCase(panel, row.info, index, neighbours, (requirement) => {
    filterBy({ requirement });
    if (narrow.matches) location.hash = '#/';
  });
  row.element.classList.add('open');
  const href = addressOf(row.info, named >= 0 ? data.agents[named] : null);
  opener = row.links.find((link) => link.getAttribute('href') === href) || row.links[0];
  moveTabStop(opener);
  if (isFirst) byId('matrix-scroll').scrollIntoView({ behavior: 'instant' });
  if (!row.element.hidden) opener.scrollIntoView({ behavior: 'instant', block: 'nearest', inline: 'nearest' });
  document.title = row.info.id + ': WebSocket conformance';
  panel.scrollTop = 0;
  byId('detail-title').focus({ preventScroll: true });
}

function makeSpeed() {
  byId('speed').hidden = data.speed.length === 0;
  for (const { title, agents, rows: figures } of data.speed) {
    const heads = ['Measured', 'Unit', ...agents];
    const body = figures.map(({ name, unit, isLessBetter, values, details }) => {
      const known = values.filter((value) => typeof value === 'number');
      const best = isLessBetter ? Math.min(...known) : Math.max(...known);
      const cells = agents.map((_, index) => {
        const value = values[index];
        if (typeof value !== 'number') return make('td', { class: 'none' }, '–');
        const gauge = make('span', { class: 'gauge', 'aria-hidden': 'true' });
        gauge.style.width = Math.max(0.05, value / Math.max(...known) * 6) + 'rem';
        const cell = make('td', { class: value === best && known.length > 1 ? 'best' : '' }, number(value), gauge);
        if (details[index]) cell.append(make('small', {}, details[index]));
        return cell;
      });
      return make('tr', {}, make('th', { scope: 'row' }, name), make('td', { class: 'unit' }, unit), ...cells);
    });
    const table = make('table', { class: 'plain speed' }, make('caption', {}, title),
      make('thead', {}, make('tr', {}, ...heads.map((text) => make('th', { scope: 'col' }, text)))), make('tbody', {}, ...body));
    byId('speed').append(make('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': title }, table));
  }
}

makeTotals();
makeFilters();
makeMatrix();
makeSpeed();
applyFilters();
matrix.addEventListener('keydown', moveFocus);
matrix.addEventListener('focusin', (event) => { if (event.target.closest('a')) moveTabStop(event.target); });
addEventListener('keydown', (event) => { if (event.key === 'Escape' && !panel.hidden) location.hash = '#/'; });
addEventListener('hashchange', followAddress);
narrow.addEventListener('change', () => { overview.inert = !panel.hidden && narrow.matches; });
followAddress();
`;
