/** Reads PromQL by the grammar that Prometheus' own interface uses. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectDirectory } from '../../dev/stack/project.js';

/** @returns the metrics that the expression reads. @throws Error at the first place that is not PromQL */
export function metricsOf(expression: string): string[] {
  const names: string[] = [];
  parser.parse(expression).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`not PromQL at ${node.from}: ${expression}`);
      if (node.name === 'VectorSelector') {
        const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(expression.slice(node.from, node.to))?.[0];
        if (name === undefined) throw new Error(`names no metric: ${expression}`);
        names.push(name);
      }
    },
  });
  return names;
}

const rules = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Dormouse[A-Za-z]+$/),
          expr: z.string(),
          for: z.string().regex(/^\d+[mhd]$/),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
          annotations: z.strictObject({ summary: z.string().min(20), runbook_url: z.string() }),
        }),
      ),
    }),
  ),
});

export const alerts = rules
  .parse(parse(readFileSync(join(projectDirectory, 'deploy/prometheus/alerts.yaml'), 'utf8')))
  .groups.flatMap((group) => group.rules);

const dashboardSchema = z.object({
  title: z.string(),
  uid: z.string(),
  schemaVersion: z.number().int(),
  panels: z.array(
    z.object({
      id: z.number().int(),
      title: z.string(),
      type: z.enum(['timeseries', 'stat']),
      gridPos: z.strictObject({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(z.object({ refId: z.string(), expr: z.string() })).min(1),
    }),
  ),
});

export const dashboard = dashboardSchema.parse(
  JSON.parse(readFileSync(join(projectDirectory, 'deploy/grafana/dormouse.json'), 'utf8')),
);

/** Every metric that an alert or a panel reads. */
export const readMetrics = (): string[] => [
  ...new Set([
    ...alerts.flatMap(({ expr }) => metricsOf(expr)),
    ...dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsOf(expr))),
  ]),
];
