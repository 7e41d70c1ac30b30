// The look of the HTML report: that of the page of `hawser serve`, with a colour for each verdict. Every pair of ink and
// ground has a contrast of 4.5 to 1 or more, in both schemes.

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f7f8f7; --panel: #ffffff; --sunken: #f0f2f1; --ink: #1c2426; --quiet: #566265;
  --line: #d9dfdd; --edge: #8a9694; --accent: #1f5f87;
  --client: #1b5a8c; --client-wash: #e6f0f8; --server: #2a6647; --server-wash: #e5f2ea;
  --ok: #2a6647; --ok-wash: #e2f1e8; --mild: #5c560c; --mild-wash: #f3efcd; --info: #1b5a8c; --info-wash: #e1edf7;
  --absent: #57496f; --absent-wash: #ece8f3; --fail: #ffffff; --fail-wash: #b3271e; --end: #85430a; --end-wash: #fbe8d3;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #121718; --panel: #1a2122; --sunken: #151b1c; --ink: #e3e8e6; --quiet: #9aa8a6;
    --line: #2e3839; --edge: #6c7b7a; --accent: #8cc0e6;
    --client: #94c4ec; --client-wash: #1b2c3a; --server: #93d3ae; --server-wash: #1a3025;
    --ok: #93d3ae; --ok-wash: #1a3025; --mild: #ded78c; --mild-wash: #33311a; --info: #94c4ec; --info-wash: #1b2c3a;
    --absent: #c6b9ea; --absent-wash: #2a2639; --fail: #ffffff; --fail-wash: #a8342b; --end: #f3bd88; --end-wash: #3b2a18;
  }
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 0.9375rem / 1.45 system-ui, sans-serif; }
h1, h2, h3, p, dl, dd, ol, pre { margin: 0; }
h1 { font-size: 1.25rem; letter-spacing: -0.01em; }
h2, h3 { font-size: 0.9375rem; font-weight: 650; }
a { color: var(--accent); text-underline-offset: 0.15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 0.5rem; top: 0.5rem; padding: 0.4rem 0.8rem; background: var(--panel); z-index: 9; }
.hint { font-size: 0.8125rem; color: var(--quiet); max-width: 60rem; }
.empty { padding: 1.5rem 1rem; color: var(--quiet); text-align: center; }

header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 1rem; padding: 0.9rem 1.25rem;
  border-bottom: 1px solid var(--line); background: var(--panel); }
header p { color: var(--quiet); overflow-wrap: anywhere; }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.25rem; padding: 1.25rem; align-items: start; }
#overview { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.5rem; }
#overview > section { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.6rem; }
.bar { display: flex; align-items: baseline; gap: 1rem; }
#count { color: var(--quiet); font-size: 0.8125rem; }
.scroll { position: relative; overflow: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 0.5rem; }

.v-ok { color: var(--ok); background: var(--ok-wash); }
.v-non-strict { color: var(--mild); background: var(--mild-wash); }
.v-informational { color: var(--info); background: var(--info-wash); }
.v-unimplemented { color: var(--absent); background: var(--absent-wash); }
.v-failed { color: var(--fail); background: var(--fail-wash); }
.v-unclean, .v-wrong-code, .v-failed-by-client { color: var(--end); background: var(--end-wash); }
.v-none { color: var(--quiet); background: transparent; }
.chip { display: inline-block; padding: 0.05rem 0.45rem; border: 0; border-radius: 0.3rem; font: inherit; font-size: 0.8125rem;
  font-weight: 600; white-space: nowrap; font-variant-numeric: tabular-nums; }
button.chip { cursor: pointer; min-width: 2.2rem; }
button.chip:hover { text-decoration: underline; }

table { border-collapse: separate; border-spacing: 0; }
.plain { width: 100%; font-size: 0.875rem; }
.plain th, .plain td { padding: 0.4rem 0.9rem; text-align: right; white-space: nowrap; vertical-align: baseline;
  font-variant-numeric: tabular-nums; }
.plain :is(th, td):first-child, #totals :is(th, td):nth-child(2), .speed :is(th, td):nth-child(2) { text-align: left; }
.plain thead th { color: var(--quiet); font-size: 0.75rem; font-weight: 500; border-bottom: 1px solid var(--line); }
.plain tbody tr + tr > * { border-top: 1px solid var(--line); }
.plain tbody th { font-weight: 600; min-width: 9rem; max-width: 24rem; white-space: normal; overflow-wrap: anywhere; }
.plain .none, .plain .unit { color: var(--quiet); }
.plain caption { padding: 0.6rem 0.9rem 0.3rem; text-align: left; font-weight: 600; font-size: 0.8125rem; }
.share { display: flex; gap: 1px; height: 0.3rem; margin-top: 0.3rem; border-radius: 0.15rem; overflow: hidden; min-width: 8rem; }
.share span { min-width: 2px; }
.share .v-ok { background: var(--ok); } .share .v-non-strict { background: var(--mild); }
.share .v-informational { background: var(--info); } .share .v-unimplemented { background: var(--absent); }
.share :is(.v-unclean, .v-wrong-code, .v-failed-by-client) { background: var(--end); }
.speed td { min-width: 7rem; } .speed tbody th { font-weight: 400; }
.speed .best { font-weight: 650; }
.speed small { display: block; color: var(--quiet); font-weight: 400; white-space: normal; }
.gauge { display: block; height: 2px; margin: 0.15rem 0 0 auto; background: var(--edge); }
.best .gauge { background: var(--ok); }

#filters { display: flex; flex-wrap: wrap; align-items: end; gap: 0.6rem; }
#filters:focus { outline: none; }
#filters label { display: grid; gap: 0.2rem; font-size: 0.8125rem; color: var(--quiet); min-width: 0; flex: 0 1 11rem; }
#filters .grow { flex: 1 1 12rem; }
input, select, button, .button { font: inherit; color: var(--ink); }
input, select { width: 100%; min-width: 0; height: 2.2rem; padding: 0.3rem 0.55rem; background: var(--panel); border: 1px solid var(--edge);
  border-radius: 0.35rem; font-size: 0.875rem; }
input::placeholder { color: var(--quiet); opacity: 1; }
button:not(.chip, .tag), .button { height: 2.2rem; padding: 0.3rem 0.8rem; background: var(--panel); border: 1px solid var(--edge);
  border-radius: 0.35rem; cursor: pointer; text-decoration: none; line-height: 1.5; }
button:not(.chip, .tag):hover, a.button:hover { border-color: var(--accent); color: var(--accent); }
.button.off { color: var(--quiet); border-color: var(--line); cursor: default; }

#matrix-scroll { scroll-margin: 1rem; max-height: calc(100dvh - 2rem); min-height: 12rem; scroll-padding: 6rem 1rem 1rem 17rem; }
#matrix { width: 100%; font-size: 0.8125rem; }
#matrix thead th { position: sticky; top: 0; z-index: 3; padding: 0.5rem 0.6rem; background: var(--sunken); text-align: left;
  vertical-align: bottom; border-bottom: 1px solid var(--edge); min-width: 11rem; max-width: 14rem; }
#matrix thead .name { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; overflow-wrap: anywhere; }
#matrix small { color: var(--quiet); font-weight: 400; font-size: 0.75rem; }
#matrix th:first-child { position: sticky; left: 0; z-index: 2; }
#matrix thead th:first-child { z-index: 4; }
#matrix tbody th[scope="row"] { width: 100%; min-width: 16rem; max-width: 16rem; padding: 0; background: var(--panel); text-align: left; font-weight: 400;
  border-right: 1px solid var(--line); border-bottom: 1px solid var(--line); }
#matrix th a { display: block; padding: 0.28rem 0.8rem; color: inherit; text-decoration: none; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
#matrix th a b { display: inline-block; min-width: 3.6rem; font-family: var(--mono); font-weight: 500; }
#matrix th a span { color: var(--quiet); }
#matrix th a:hover { text-decoration: underline; }
#matrix th[scope="rowgroup"] { position: sticky; left: 0; padding: 0; background: var(--panel); text-align: left; font-weight: 650; z-index: 1;
  border-bottom: 1px solid var(--line); }
#matrix th[scope="rowgroup"] > span { position: sticky; left: 0; display: inline-flex; gap: 0.6rem; align-items: baseline; padding: 1rem 0.8rem 0.4rem; max-width: 92vw; }
#matrix tr > td { padding: 0 0 1px 1px; height: 1px; }
.cell { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 0.4rem; align-content: center; height: 100%; padding: 0.27rem 0.6rem;
  text-decoration: none; font-weight: 550; }
.cell .end { white-space: nowrap; font-weight: 400; font-variant-numeric: tabular-nums; }
.cell .end[class*="v-"] { padding: 0 0.3rem; margin-right: -0.3rem; border-radius: 0.25rem; font-weight: 550; }
a.cell:hover { box-shadow: inset 0 0 0 2px currentColor; }
.cell:focus-visible, #matrix th a:focus-visible { outline-offset: -2px; }
.cell.v-failed:focus-visible { outline-color: #ffffff; outline-offset: -3px; }
#matrix tr.open th, #matrix tr.open th a span { background: var(--client-wash); color: var(--ink); }

#detail { background: var(--panel); border: 1px solid var(--line); border-radius: 0.5rem; overflow-y: auto; overflow-wrap: anywhere; }
.panel-head { position: sticky; top: 0; z-index: 1; display: flex; justify-content: space-between; align-items: start; gap: 1rem; padding: 0.8rem 1rem;
  background: var(--panel); border-bottom: 1px solid var(--line); }
.panel-head h2 { padding-top: 0.25rem; font-weight: 500; }
.panel-head h2 b { font-family: var(--mono); font-weight: 650; margin-right: 0.3rem; }
.panel-head h2:focus { outline: none; }
.panel-head nav { display: flex; gap: 0.35rem; flex: none; }
.panel-body { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; padding: 1rem; }
.facts { display: grid; gap: 0.35rem; font-size: 0.875rem; }
.facts div { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: 0.75rem; }
.facts dt { color: var(--quiet); }
.finding { white-space: pre-line; }
.tag { padding: 0 0.4rem; margin: 0 0.3rem 0.2rem 0; border: 1px solid var(--line); border-radius: 0.3rem; background: var(--sunken); color: var(--accent);
  font: 0.75rem / 1.6 var(--mono); cursor: pointer; }
.tag:hover { border-color: var(--accent); }
.tabs { display: flex; flex-wrap: wrap; gap: 0.4rem; padding-top: 1rem; border-top: 1px solid var(--line); }
.tabs a { display: inline-flex; align-items: center; gap: 0.5rem; padding: 0.2rem 0.3rem 0.2rem 0.6rem; border: 1px solid var(--line); border-radius: 0.4rem;
  color: var(--ink); text-decoration: none; font-size: 0.875rem; max-width: 100%; }
.tabs a:hover { border-color: var(--edge); }
.tabs a[aria-current] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); font-weight: 600; }
.tabs .chip { font-size: 0.75rem; }
.result { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.7rem; }
.result h3 { margin-top: 0.5rem; }
.wire { padding: 0; list-style: none; border-top: 1px solid var(--line); }
.wire li { padding: 0.4rem 0; border-bottom: 1px solid var(--line); font-size: 0.8125rem; }
.wire .note, .wire .gap { color: var(--quiet); }
.wire .gap { text-align: center; font-style: italic; }
.wire .note { display: flex; align-items: baseline; gap: 0.9rem; }
.frame { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.1rem 0.9rem; }
.time, .bits, .wire pre { font-family: var(--mono); font-size: 0.75rem; }
.time { min-width: 5.2rem; text-align: right; color: var(--quiet); }
.bits { color: var(--quiet); }
.from { min-width: 3.8rem; }
.from, .opcode, .time { flex: none; }
.opcode { padding: 0 0.45rem; border-radius: 0.3rem; font-weight: 600; }
.from-client :is(.from, .opcode) { color: var(--client); }
.from-server :is(.from, .opcode) { color: var(--server); }
.from-client .opcode { background: var(--client-wash); }
.from-server .opcode { background: var(--server-wash); }
.wire pre { margin: 0.3rem 0 0 6.1rem; max-height: 14rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.5; }
.wire .text { unicode-bidi: plaintext; }
.wire .hex { color: var(--quiet); }

@media (min-width: 70.01rem) {
  .has-detail main { grid-template-columns: minmax(0, 1fr) minmax(30rem, 42%); }
  #detail { position: sticky; top: 1rem; max-height: calc(100dvh - 2rem); }
}
@media (max-width: 70rem) {
  .has-detail { overflow: hidden; }
  #detail { position: fixed; inset: 0; z-index: 8; border: 0; border-radius: 0; }
}
@media (max-width: 40rem) {
  main { padding: 0.9rem; }
  header { padding: 0.8rem 0.9rem; }
  #filters label, #filters .grow { flex: 1 1 8rem; }
  #filters .grow { flex-basis: 100%; }
  #matrix tbody th[scope="row"] { min-width: 8rem; max-width: 8rem; width: 8rem; }
  #matrix thead th:first-child { min-width: 8rem; }
  #matrix th a { white-space: normal; padding-inline: 0.5rem; }
  #matrix th a span { display: none; }
  #matrix th a b { min-width: 0; overflow-wrap: anywhere; }
  #matrix-scroll { scroll-padding-left: 8.5rem; max-height: calc(100dvh - 1rem); }
  .facts div { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .wire pre { margin-left: 0; }
  .time { min-width: 0; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`;
