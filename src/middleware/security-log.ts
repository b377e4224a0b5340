/** Where a guard writes what was refused, or could not be judged: a logger of the app. Never with a credential. */
export type SecurityLog = (fields: Readonly<Record<string, unknown>>, message: string) => void;
