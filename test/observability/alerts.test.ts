/**
 * Alert rules, runbooks and dashboard. That their metrics exist, and what promtool says of rules and real pages, is in
 * test/integration/observability.test.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDirectory } from '../../dev/stack/project.js';
import { alerts, dashboard, metricsOf } from '../support/promql.js';

const runbooks = readFileSync(join(projectDirectory, 'docs/runbooks.md'), 'utf8');
const sections = new Map(
  runbooks
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n')[0] ?? '', section] as const),
);

describe.each(alerts)('$alert', ({ alert, expr, annotations }) => {
  it('is PromQL over a metric of Dormouse', () => {
    const names = metricsOf(expr);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(name).toMatch(/^dormouse_/);
  });

  it('links to its runbook, which says meaning, look, remedy and when it is harmless', () => {
    expect(annotations.runbook_url).toBe(`docs/runbooks.md#${alert.toLowerCase()}`);
    const section = sections.get(alert) ?? expect.fail(`docs/runbooks.md has no section ${alert}`);
    for (const part of ['What it means', 'How to look', 'What to do', 'When it is harmless']) {
      expect(section).toContain(`**${part}.**`);
    }
  });
});

it('no alert is there twice, and no runbook is about none', () => {
  const names = alerts.map(({ alert }) => alert);
  expect(new Set(names).size).toBe(names.length);
  expect([...sections.keys()].sort()).toEqual([...names].sort());
});

it('a text that is no PromQL is refused', () => {
  expect(() => metricsOf('max(dormouse_overdue_longest_seconds) >')).toThrow('not PromQL');
  expect(metricsOf('sum(rate(a_total{b="c_total"}[5m])) / max by (d) (e)')).toEqual(['a_total', 'e']);
});

describe('the dashboard', () => {
  it('has panels with ids and names of their own that do not overlap', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    const cells = panels.map(({ gridPos: { x, y } }) => `${x}/${y}`);
    expect(new Set(cells).size).toBe(cells.length);
  });

  it.each(dashboard.panels)('panel "$title" is PromQL', ({ targets }) => {
    for (const { expr } of targets) expect(metricsOf(expr).length).toBeGreaterThan(0);
  });
});
