/** What goes wrong at an app's table of tokens. A message of PostgreSQL may quote a row, so only its code is kept. */
import pg from 'pg';

export class TokenSourceError extends Error {
  override readonly name = 'TokenSourceError';

  /** @param isForOperator no repetition helps: the file, the table or its rights have to change */
  constructor(
    message: string,
    readonly isForOperator: boolean,
    /** Of PostgreSQL. */
    readonly code?: string,
  ) {
    super(message);
  }
}

/** @returns the error without what it quotes */
export function withoutRows(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (!(error instanceof pg.DatabaseError) && typeof code !== 'string') return error;
  const [advice, isForOperator] = adviceFor(String(code));
  const message = `the app's database answered ${String(code)}. ${advice}`;
  return new TokenSourceError(message, isForOperator, String(code));
}

function adviceFor(code: string): [advice: string, isForOperator: boolean] {
  if (code === '57014') {
    return ['A statement took too long: add an index for its condition, or raise statementTimeout', false];
  }
  if (code === '55P03')
    return ['A row stayed locked: another transaction of the app holds it for long', false];
  if (code === '42501')
    return ['Grant SELECT and UPDATE on the table to the role of the connection URL', true];
  if (code === '25006') return ['The SELECT writes: it must only read', true];
  if (code.startsWith('42') || code.startsWith('22')) {
    return ['Check "select" and "revoke" in DORMOUSE_TOKEN_SOURCES_FILE', true];
  }
  if (code.startsWith('28')) return ["Check user and password of the source's connection URL", true];
  return ['Check that it runs, and that the connection URL is right', false];
}
