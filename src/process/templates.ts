/**
 * Strict Handlebars templates: an unknown name fails when the template is compiled,
 * instead of leaving a gap for readers.
 */
import Handlebars from 'handlebars';

export type Render = (view: object) => string;

interface Strictness {
  /** Every name that a template may use, helpers included. */
  readonly names: ReadonlySet<string>;
  readonly environment?: typeof Handlebars;
  /** For plain text. */
  readonly noEscape?: boolean;
}

/**
 * Handlebars' own strict mode accepts unknown names as arguments of helpers
 * (`{{#if typo}}`). This one does not.
 */
class NameCheck extends Handlebars.Visitor {
  constructor(private readonly names: ReadonlySet<string>) {
    super();
  }

  override PathExpression(path: hbs.AST.PathExpression): void {
    if (!this.names.has(path.original)) {
      throw new Error(`template: unknown name "${path.original}" in line ${path.loc.start.line}`);
    }
  }
}

/** @throws Error when the template names a variable or helper that does not exist */
export function compileStrict(
  source: string,
  { names, environment = Handlebars.create(), noEscape = false }: Strictness,
): Render {
  const ast = environment.parse(source);
  new NameCheck(names).accept(ast);
  return environment.compile(ast, { strict: true, noEscape });
}

/** @returns the rest of the first line, which begins with `prefix`, and the text after it */
export function splitHeading(
  source: string,
  prefix: string,
  name: string,
): { heading: string; body: string } {
  const lineEnd = source.indexOf('\n');
  if (!source.startsWith(prefix) || lineEnd < 0) {
    throw new Error(`template ${name}: the first line must begin with "${prefix}"`);
  }
  return { heading: source.slice(prefix.length, lineEnd), body: source.slice(lineEnd + 1) };
}
