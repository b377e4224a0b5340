import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationInWords, formatDeadline, formatIn } from '../../src/mail/durations.js';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

describe('durations', () => {
  it.each([
    [30 * DAY, '30 days', '30 Tage', 'in 30 Tagen'],
    [730 * DAY, '730 days', '730 Tage', 'in 730 Tagen'],
    [2 * DAY, '2 days', '2 Tage', 'in 2 Tagen'],
    [2 * DAY - 15 * SECOND, '2 days', '2 Tage', 'in 2 Tagen'],
    [7 * DAY - 5 * SECOND, '7 days', '7 Tage', 'in 7 Tagen'],
    [DAY, '24 hours', '24 Stunden', 'in 24 Stunden'],
    [HOUR, '60 minutes', '60 Minuten', 'in 60 Minuten'],
    [2 * HOUR, '2 hours', '2 Stunden', 'in 2 Stunden'],
    [12 * SECOND, '12 seconds', '12 Sekunden', 'in 12 Sekunden'],
    [SECOND, '1 second', '1 Sekunde', 'in 1 Sekunde'],
    [0, '1 second', '1 Sekunde', 'in 1 Sekunde'],
  ])('%d ms', (ms, english, german, germanIn) => {
    expect(durationInWords(ms, 'en')).toBe(english);
    expect(formatIn(ms, 'en')).toBe(`in ${english}`);
    expect(durationInWords(ms, 'de')).toBe(german);
    expect(formatIn(ms, 'de')).toBe(germanIn);
  });

  const forms = {
    en: { one: /^(day|hour|minute|second)$/u, many: /^(days|hours|minutes|seconds)$/u },
    de: { one: /^(Tag|Stunde|Minute|Sekunde)$/u, many: /^(Tage|Stunden|Minuten|Sekunden)$/u },
  };

  it.each(['en', 'de'] as const)('%s: never nothing, always the right number', (locale) => {
    fc.assert(
      fc.property(durations, (ms) => {
        const [amount = '', unit = ''] = durationInWords(ms, locale).split(' ');
        const count = Number(amount.replace(/\D/gu, ''));
        expect(count).toBeGreaterThanOrEqual(1);
        expect(unit).toMatch(count === 1 ? forms[locale].one : forms[locale].many);
      }),
    );
  });

  it('is exact to half of its unit, and uses days from two days on', () => {
    const units = { day: DAY, hour: HOUR, minute: 60 * SECOND, second: SECOND };
    fc.assert(
      fc.property(durations, (ms) => {
        const match = /^([\d,]+) (day|hour|minute|second)s?$/u.exec(durationInWords(ms, 'en'));
        const unit = match?.[2] as keyof typeof units;
        const said = Number(match?.[1]?.replaceAll(',', '')) * units[unit];
        expect(Math.abs(said - ms)).toBeLessThanOrEqual(ms < SECOND ? SECOND : units[unit] / 2);
        if (unit === 'day') expect(said).toBeGreaterThanOrEqual(2 * DAY);
      }),
    );
  });

  it('deadlines hold no special spaces, in any region', () => {
    const tag = fc.constantFrom('en', 'en-GB', 'en-AU', 'de', 'de-AT', 'de-CH');
    fc.assert(
      fc.property(tag, fc.integer({ min: 0, max: 4e12 }), durations, (locale, at, inMs) => {
        const said = formatDeadline(at, inMs, locale);
        expect(said).not.toMatch(/[\u00a0\u202f]/u);
        expect(said).toContain(String(new Date(at).getUTCFullYear()));
        expect(said).toMatch(/UTC/u);
      }),
    );
  });
});

const durations = fc.oneof(
  fc.integer({ min: 0, max: 2000 * DAY }),
  fc.integer({ min: 0, max: 3 * DAY }),
  fc.integer({ min: 0, max: 3 * HOUR }),
  fc.constantFrom(0, 999, SECOND, 60 * SECOND, HOUR, DAY, 2 * DAY - 1, 2 * DAY),
);
