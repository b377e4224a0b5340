/** Names a device for people by the user agent of its sign-in: "Firefox, Windows". Pure. */

/** The first that matches counts: Edge and Opera also call themselves Chrome, and Chrome calls itself Safari. */
const browsers = [
  ['Edg', 'Edge'],
  ['OPR', 'Opera'],
  ['SamsungBrowser', 'Samsung Internet'],
  ['Firefox', 'Firefox'],
  ['FxiOS', 'Firefox'],
  ['CriOS', 'Chrome'],
  ['Chrome', 'Chrome'],
  ['Safari', 'Safari'],
] as const;

const systems = [
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['CrOS', 'ChromeOS'],
  ['Windows', 'Windows'],
  ['Mac OS X', 'Mac'],
  ['Linux', 'Linux'],
] as const;

const longestName = 60;

/** @returns `undefined` where nothing is known. What is not recognised is shown as it is, cut */
export function deviceName(userAgent: string | undefined): string | undefined {
  // A browser sends no control characters, and none that change the direction of what follows.
  const text = userAgent?.replace(/\p{C}/gu, '').trim();
  if (text === undefined || text === '') return undefined;
  const browser = browsers.find(([token]) => text.includes(`${token}/`))?.[1];
  const system = systems.find(([token]) => text.includes(token))?.[1];
  if (browser === undefined) return text.slice(0, longestName);
  return system === undefined ? browser : `${browser}, ${system}`;
}
