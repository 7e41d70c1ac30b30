// The report as one HTML file that needs nothing else: style, script and data are inside, and its policy allows no others.
// The script shows the data, so that a page of thousands of results stays small; the text in it never becomes markup.

import { createHash } from 'node:crypto';
import { pageData } from './html-data.js';
import { DETAIL_SCRIPT } from './html-detail-script.js';
import { MATRIX_SCRIPT } from './html-matrix-script.js';
import { STYLE } from './html-style.js';
import type { ReportData } from './report-data.js';

export function renderHtml(data: ReportData): string {
  const script = `'use strict';\n${DETAIL_SCRIPT}${MATRIX_SCRIPT}`;
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    `style-src ${hashSource(STYLE)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const made = escapeHtml(`${data.generator} · ${data.createdAt}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>WebSocket conformance</title>
<link rel="icon" href="${ICON}">
<style>${STYLE}</style>
</head>
<body>
${body(made)}
<script type="application/json" id="data">${embedJson(pageData(data))}</script>
<script>${script}</script>
</body>
</html>
`;
}

function body(made: string): string {
  return `<a class="skip" href="#filters">Skip to the cases</a>
<header>
<h1>WebSocket conformance</h1>
<p>${made}</p>
</header>
<noscript><p class="empty">This report shows its data with a script, which this browser does not run.</p></noscript>
<main>
<div id="overview">
<section aria-labelledby="totals-title">
<h2 id="totals-title">Agents</h2>
<div class="scroll"><table id="totals" class="plain"></table></div>
</section>
<section aria-labelledby="cases-title">
<div class="bar">
<h2 id="cases-title">Cases</h2>
<output id="count"></output>
</div>
<form id="filters" autocomplete="off" tabindex="-1">
<label class="grow"><span>Search</span><input id="text" type="search" placeholder="id, words, finding"></label>
<label><span>Verdict</span><select id="verdict"></select></label>
<label><span>of</span><select id="agent"></select></label>
<label><span>Section</span><select id="section"></select></label>
<label><span>Requirement</span><input id="requirement" type="search" list="requirements" placeholder="RFC6455-5.5-1" spellcheck="false"></label>
<datalist id="requirements"></datalist>
<button id="reset" type="reset">Show all</button>
</form>
<div id="matrix-scroll" class="scroll" role="region" aria-labelledby="cases-title">
<table id="matrix"></table>
<p id="nothing" class="empty" hidden>No case fits these filters.</p>
</div>
<p class="hint">Each cell says what is thought of what the agent did, and with which close code the agent ended the connection.
Arrow keys move from cell to cell; Enter opens one; Escape closes it.</p>
</section>
<section id="speed" aria-labelledby="speed-title" hidden>
<h2 id="speed-title">Speed</h2>
</section>
</div>
<section id="detail" aria-labelledby="detail-title" hidden></section>
</main>`;
}

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E" +
  "%3Cpath d='M2 8l4 4 8-9' fill='none' stroke='%232a8c5a' stroke-width='2.5' stroke-linecap='round' " +
  "stroke-linejoin='round'/%3E%3C/svg%3E";

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** JSON that can stand in a script element: nothing in it can end the element, or begin a comment. */
function embedJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
}
