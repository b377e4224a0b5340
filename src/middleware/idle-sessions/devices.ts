/** Which class of device a request comes from. Whoever asks writes these headers, so a class can only be a hint. Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import type { DeviceClass } from '../../domain/sessions/policy.js';

const mobile = /Mobi|Android|iPhone|iPad|iPod/i;

export function deviceOfUserAgent(userAgent: string): DeviceClass {
  return mobile.test(userAgent.slice(0, 1_000)) ? 'mobile' : 'desktop';
}

export function deviceOf(headers: IncomingHttpHeaders): DeviceClass {
  const hint = headers['sec-ch-ua-mobile'];
  if (hint === '?0') return 'desktop';
  return hint === '?1' ? 'mobile' : deviceOfUserAgent(headers['user-agent'] ?? '');
}
