/** A request could not be judged. Without credential, address or answer. */
export class UnjudgedError extends Error {
  override readonly name = 'UnjudgedError';
  constructor(
    readonly system: 'PostgreSQL' | 'Kratos' | 'policy' | 'keys',
    options?: ErrorOptions,
  ) {
    super(`a credential could not be judged: ${system} is away`, options);
  }
}

/** Runs a statement. @throws UnjudgedError where it fails */
export async function fromPostgres<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new UnjudgedError('PostgreSQL', { cause });
  }
}
