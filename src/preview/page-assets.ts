/** Style and script of the pages with plots. The script only sorts: a page is whole without it. */

export const style = `
:root { --ink: #1b1f24; --paper: #fff; --faint: #57606a; --line: #d0d7de; --before: #57606a; --after: #9a3412; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --faint: #9aa4af; --line: #3d444d; --before: #9aa4af; --after: #f0883e; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 75rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
a { color: inherit; } a:focus-visible, button:focus-visible, .scroll:focus-visible { outline: 2px solid var(--after); }
.moves { display: flex; flex-wrap: wrap; gap: 2rem; list-style: none; padding: 0; } .moves strong { font-size: 1.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left; white-space: nowrap; }
th button { all: unset; cursor: pointer; text-decoration: underline dotted; }
code { overflow-wrap: anywhere; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { font-size: .9rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--faint); font-size: 11px; }
svg .value { text-anchor: end; dominant-baseline: middle; } svg .day { text-anchor: middle; }
.grid { stroke: var(--line); }
polyline { fill: none; stroke-width: 2; }
polyline.before { stroke: var(--before); stroke-dasharray: 4 3; } polyline.after { stroke: var(--after); }
.key::before { content: ""; display: inline-block; width: 1.5rem; margin-right: .4rem; vertical-align: middle; border-top: 2px solid var(--after); }
.key.before::before { border-top: 2px dashed var(--before); }
`;

export const sortScript = `
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.querySelectorAll('thead th')];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const text = (row) => row.cells[column].textContent;
      const isNumeric = [...table.tBodies[0].rows].every((row) => /^[0-9]*$/.test(text(row)));
      const order = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
      const compare = isNumeric
        ? (one, other) => Number(text(one)) - Number(text(other))
        : (one, other) => order(text(one), text(other));
      const rows = [...table.tBodies[0].rows].sort(compare);
      table.tBodies[0].append(...(down ? rows.reverse() : rows));
    });
  });
}
`;
