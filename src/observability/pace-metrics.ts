/** At which pace the workers call Kratos and Hydra (docs/rates.md), read as the page is read. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Pacers } from '../pacing/start-pacers.js';

export function watchPace(registry: Registry, pacers: Pacers): void {
  const systems = Object.entries(pacers);
  new Gauge({
    name: 'dormouse_pace_calls_per_second',
    help: 'Calls a second that all workers together may make now, by system. Absent before the first call.',
    labelNames: ['system'],
    registers: [registry],
    collect() {
      for (const [system, pacer] of systems) {
        const { rate } = pacer.figures();
        if (rate !== undefined) this.set({ system }, rate);
      }
    },
  });
  new Gauge({
    name: 'dormouse_pace_waiting_calls',
    help: 'Calls of this process that wait for their place.',
    labelNames: ['system'],
    registers: [registry],
    collect() {
      for (const [system, pacer] of systems) this.set({ system }, pacer.figures().waiting);
    },
  });
  new Counter({
    name: 'dormouse_throttled_answers_total',
    help: 'Answers that lower the pace: refused (429 or 503), or slow.',
    labelNames: ['system', 'reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [system, pacer] of systems) {
        const { refused, slow } = pacer.figures();
        this.inc({ system, reason: 'refused' }, refused);
        this.inc({ system, reason: 'slow' }, slow);
      }
    },
  });
}
