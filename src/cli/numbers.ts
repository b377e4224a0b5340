/** Ids and versions as parameters of the command line. */
import { highestVersion } from '../domain/names.js';
import { UsageError } from './exit-codes.js';

/**
 * @param name the parameter or flag, for the message
 * @returns a number from 1 to the highest `integer` of PostgreSQL; no id is higher.
 * @throws UsageError naming the problem
 */
export function wholeNumber(name: string, text: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= highestVersion) return value;
  throw new UsageError(`${name}: must be a whole number from 1 to ${highestVersion}`);
}
