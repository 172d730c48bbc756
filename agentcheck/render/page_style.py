"""The style of the status page. A constant: its hash stands in the page's security policy.

Every colour is a variable, given once for a light and once for a dark scheme; text colours keep a
contrast of 4.5 with every background they stand on (WCAG 2.1, 1.4.3). Nothing moves, so there is
nothing to reduce for those who asked for less motion.
"""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f5f5f2; --card: #ffffff; --inset: #f3f4f4; --line: #d9dcdf; --rail: #8b949e;
  --text: #1c2126; --muted: #565f69;
  --ok: #17734a; --warn: #855300; --fail: #b8232b; --unknown: #7038a8; --pending: #1d5bb8;
  --ok-tint: #e8f5ed; --warn-tint: #fdf2dc; --fail-tint: #fdecec; --unknown-tint: #f4edfb;
  --pending-tint: #e9f1fc;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1215; --card: #171b20; --inset: #1f242a; --line: #333a42; --rail: #6d7782;
    --text: #e7eaed; --muted: #a3adb8;
    --ok: #62d19a; --warn: #f0b650; --fail: #ff8f8a; --unknown: #cda9ff; --pending: #8fbaff;
    --ok-tint: #12261c; --warn-tint: #2b2110; --fail-tint: #301718; --unknown-tint: #251a33;
    --pending-tint: #14233a;
  }
}
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere;
}
main, footer { max-width: 70rem; margin: 0 auto; padding: .75rem; }
main { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
h1, h2, h3, p, ul, ol, dl, dd, pre { margin: 0; }
h2 { font-size: 1.05rem; font-weight: 650; margin-bottom: .75rem; }
h3 { font-size: .95rem; font-weight: 650; margin: 1.25rem 0 .5rem; }
code, .mono { font-family: ui-monospace, monospace; font-size: .875em; }
a { color: var(--pending); }
:focus-visible { outline: 3px solid var(--pending); outline-offset: 2px; border-radius: 4px; }
.muted { color: var(--muted); }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 1rem; padding: 1.25rem;
}
.stack, .columns { display: grid; gap: inherit; grid-template-columns: minmax(0, 1fr); }
.icon { width: 1.15em; height: 1.15em; flex: none; vertical-align: -.2em; }

.s-ok { --state: var(--ok); --tint: var(--ok-tint); }
.s-warn { --state: var(--warn); --tint: var(--warn-tint); }
.s-fail { --state: var(--fail); --tint: var(--fail-tint); }
.s-unknown { --state: var(--unknown); --tint: var(--unknown-tint); }
.s-pending { --state: var(--pending); --tint: var(--pending-tint); }
.s-not-reached { --state: var(--muted); --tint: var(--inset); }
.word { color: var(--state); fill: var(--state); font-weight: 600; }

.verdict { background: var(--tint); border-color: var(--state); padding: 1.5rem 1.25rem; }
.verdict h1 {
  display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .75rem;
  font-size: 1.5rem; line-height: 1.2; font-weight: 700;
}
.verdict h1 .icon { width: 2.25rem; height: 2.25rem; }
.verdict h1 code { font-size: 1.25rem; font-weight: 500; }
.verdict .summary { font-size: 1.2rem; line-height: 1.45; margin-top: .9rem; max-width: 46em; }
.verdict .muted, .verdict dt { color: var(--text); }
.verdict .confirmed { margin-top: .9rem; }
.verdict dl { display: flex; flex-wrap: wrap; gap: .6rem 2rem; margin-top: 1.2rem; }
.verdict dt { font-size: .8rem; }
.verdict dd { font-weight: 600; font-size: .95rem; }
.banner { background: var(--tint); border-color: var(--state); }

.diagram { padding: 1rem .35rem; }
.diagram h2 { padding: 0 .9rem; }
.path { display: block; width: 100%; max-width: 23rem; height: auto; margin: 0 auto; }
.path text { fill: var(--text); font-family: system-ui, sans-serif; }
.path .title { font-size: 14px; font-weight: 650; }
.path .detail { font-size: 12.5px; fill: var(--muted); }
.path .caption { font-size: 12px; fill: var(--muted); }
.path .strong { fill: var(--text); font-weight: 600; }
.path .service { font: 600 13px ui-monospace, monospace; }
.path .address { font: 12px ui-monospace, monospace; }
.path .word { fill: var(--state); font-size: 12px; }
.path .detail .word { font-size: 12.5px; }
.box { fill: var(--inset); stroke: var(--line); }
.box.instance { fill: var(--card); }
.box.endpoints { stroke-dasharray: 5 4; fill: none; stroke: var(--rail); }
.rail { fill: none; stroke: var(--rail); stroke-width: 2.5; stroke-linecap: round; }
.rail.broken { stroke-dasharray: 1 6; }
.signs { position: absolute; width: 0; height: 0; }
.outline { fill: var(--state); stroke: none; }
.glyph {
  fill: none; stroke: var(--card); stroke-width: 2.4; stroke-linecap: round; stroke-linejoin: round;
}
.ring {
  fill: var(--card); stroke: var(--state); stroke-width: 2; stroke-dasharray: 3.4 3.3;
}

.steps, .plain { padding-left: 1.35rem; }
.steps.single { list-style: none; padding: 0; }
.steps li + li, .plain li + li { margin-top: .6rem; }
.steps li::marker { color: var(--muted); font-weight: 600; }
pre {
  margin-top: .45rem; padding: .6rem .75rem; background: var(--inset); border-radius: .5rem;
  border: 1px solid var(--line); white-space: pre-wrap;
  font: .84rem/1.55 ui-monospace, monospace;
}
pre span { display: inline-block; max-width: 100%; vertical-align: top; }
pre code { user-select: all; font: inherit; }
.chip .icon { margin-right: .4em; }
.more { margin-top: 1.25rem; font-size: .9rem; }
.facts { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: .35rem .75rem; }
.facts dt { color: var(--muted); }

.strip { list-style: none; padding: 0; display: flex; flex-flow: row-reverse wrap; gap: .5rem; }
.strip li {
  flex: 0 0 8.25rem; padding: .6rem .75rem; border-radius: .6rem;
  background: var(--tint); border: 1px solid var(--state); font-size: .85rem; line-height: 1.4;
}
.strip .chip { font-size: .95rem; }
.strip time, .strip code, .strip .chip { display: block; }

details { margin-top: 1rem; }
summary { cursor: pointer; color: var(--muted); font-size: .9rem; padding: .35rem 0; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; }
th { font-weight: 400; }
th:first-child { width: 46%; }
th .mono { font-size: .78em; }
th .chip { display: block; }
thead th { color: var(--muted); font-size: .8rem; padding-top: 0; }
tbody tr { border-top: 1px solid var(--line); }
td .muted { font-size: .85em; }
footer { color: var(--muted); font-size: .85rem; padding-bottom: 2.5rem; }
footer p + p { margin-top: .3rem; }

@media (min-width: 60rem) {
  main { padding: 2rem 1.5rem 1rem; gap: 1.25rem; }
  footer { padding: 0 1.5rem 3rem; }
  .columns {
    grid-template: auto 1fr / 27.5rem minmax(0, 1fr); align-items: start;
  }
  .columns > .stack { grid-area: 1 / 2 / 3 / 3; }
  .columns.calm > .stack { grid-area: 1 / 2; }
  .columns.calm > .diagram { grid-area: 1 / 1 / 3 / 2; }
  .card, .diagram { padding: 1.5rem; }
  .diagram h2 { padding: 0; }
  .verdict { padding: 2rem; }
  .facts { grid-template-columns: 8.5rem minmax(0, 1fr); }
  th:first-child { width: 20rem; }
  th .mono { font-size: .875em; }
  th .chip { display: inline-block; width: 7rem; }
}
@media print { .card { break-inside: avoid; } }
"""

# The SHA-256 of STYLE. A test compares the two: hashlib here would load OpenSSL into the daemon.
_HASH = "lOKFfiA8bRssVvPaPii+e8RYhGw+Vd5JGA9YZxqFl9c="
# In the page itself too: a browser that opens the file from a ticket holds to it as well.
PAGE_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
# Which only the header can say.
CONTENT_SECURITY_POLICY = f"{PAGE_POLICY}; frame-ancestors 'none'"
