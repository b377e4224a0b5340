import { expect, it } from 'vitest';
import { deviceName } from '../../src/people-pages/device-name.js';

it.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0', 'Firefox, Windows'],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
    'Safari, Mac',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0',
    'Edge, Windows',
  ],
  [
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36',
    'Samsung Internet, Android',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0 Mobile/15E148 Safari/604.1',
    'Chrome, iPhone',
  ],
  [
    'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36',
    'Chrome, ChromeOS',
  ],
])('%s is named for people', (userAgent, name) => {
  expect(deviceName(userAgent)).toBe(name);
});

it('what is not recognised is shown as it is, cut, without characters that are not seen', () => {
  expect(deviceName('acorn-cli/3.1')).toBe('acorn-cli/3.1');
  expect(deviceName(`a\u0000b\u202ec${'x'.repeat(500)}`)).toBe(`abc${'x'.repeat(57)}`);
  expect(deviceName(' \u200b ')).toBeUndefined();
  expect(deviceName(undefined)).toBeUndefined();
});
