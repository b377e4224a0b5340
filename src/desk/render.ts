/**
 * Renders the desk's pages. The templates are loaded once, at import. Everything that is shown is escaped; a page has no script, and its one
 * style is the only one that a browser applies.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import { compileStrict, type Render } from '../process/templates.js';
import { templateNames } from './template-names.js';

export const deskPages = [
  ...(['problem', 'sign-in', 'signed-out', 'overview', 'people', 'identity', 'work', 'breaker'] as const),
  ...(['policies', 'policy', 'preview', 'previewed', 'report'] as const),
] as const;
export type DeskPage = (typeof deskPages)[number];

/** What stands around every page. */
export interface Frame {
  readonly title: string;
  readonly product: string;
  /** Empty: nobody is signed in. */
  readonly actor: string;
  /** What forms carry. Empty: there are none. */
  readonly token: string;
  readonly links: readonly { readonly href: string; readonly text: string; readonly isCurrent: boolean }[];
  /** What was done just now; empty: nothing. */
  readonly done: string;
}

const environment = Handlebars.create();

environment.registerHelper('time', (at: unknown) => {
  if (typeof at !== 'number') return '–';
  const iso = new Date(at).toISOString();
  const text = `${iso.slice(0, 10)} ${iso.slice(11, 16)}`;
  return new Handlebars.SafeString(`<time datetime="${iso}">${text}</time>`);
});
environment.registerHelper('number', (value: unknown) =>
  typeof value === 'number' ? value.toLocaleString('en') : '–',
);

const style = read('style.css');
/** For the Content-Security-Policy. */
export const styleHash = `sha256-${createHash('sha256').update(style).digest('base64')}`;

const compile = (name: string) => compileStrict(read(`${name}.hbs`), { names: templateNames, environment });
const layout = compile('layout');
const pages = Object.fromEntries(deskPages.map((name) => [name, compile(name)])) as Readonly<
  Record<DeskPage, Render>
>;

/** @returns a whole HTML document */
export function renderDesk(page: DeskPage, frame: Frame, view: object): string {
  const body = pages[page]({ ...view, token: frame.token }).trim();
  return layout({ ...frame, isSignedIn: frame.actor !== '', style, body });
}

function read(name: string): string {
  return readFileSync(new URL(`./templates/${name}`, import.meta.url), 'utf8');
}
