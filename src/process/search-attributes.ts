/** Whether Temporal knows the search attributes that lifecycles write, and how it learns them. */
import type { ConnectionLike } from '@temporalio/client';
import { searchAttributes } from '../domain/search-attributes.js';

/** What the check needs of a connection to Temporal, a client's or a worker's. */
export type AttributeReader = Pick<ConnectionLike, 'workflowService'> & {
  readonly operatorService: {
    listSearchAttributes(request: {
      namespace: string;
    }): Promise<{ customAttributes?: Record<string, number> | null }>;
    addSearchAttributes(request: {
      namespace: string;
      searchAttributes: Record<string, number>;
    }): Promise<unknown>;
  };
};

/** `temporal.api.enums.v1.IndexedValueType` */
const indexedTypes = { Keyword: 2, Datetime: 6 } as const;

const wanted = Object.entries(searchAttributes).map(([name, type]) => ({
  name,
  type,
  indexed: indexedTypes[type] as number,
}));

/** Types of attributes by their names. */
type Known = Readonly<Record<string, number>>;

const missingIn = (known: Known) => wanted.filter(({ name }) => known[name] === undefined);

/** Sentences about attributes that are there with another type. */
const mistypedIn = (known: Known) =>
  wanted
    .filter(({ name, indexed }) => known[name] !== undefined && known[name] !== indexed)
    .map(({ name, type }) => `the search attribute ${name} is of another type than ${type}`);

/** gRPC: `PERMISSION_DENIED`, `UNIMPLEMENTED`. A hosted Temporal keeps the operator's API from workers. */
const keptFromUs = [7, 12];

/**
 * @returns a sentence for each attribute that is missing or of another type; none where this server keeps the list from workers
 * @throws what the server says where it does not answer, or does not know the namespace
 */
export async function searchAttributeProblems(
  connection: AttributeReader,
  namespace: string,
): Promise<string[]> {
  await connection.workflowService.describeNamespace({ namespace });
  const known = await readUnlessKept(connection, namespace);
  if (known === undefined) return [];
  const missing = missingIn(known).map(({ name }) => `the search attribute ${name} is not registered`);
  return [...missing, ...mistypedIn(known)];
}

/**
 * Registers those that are missing. Safe to repeat.
 * @returns the names that it registered
 * @throws Error where one is there with another type; what the server says
 */
export async function registerSearchAttributes(
  connection: AttributeReader,
  namespace: string,
): Promise<string[]> {
  const known = await readAttributes(connection, namespace);
  const mistyped = mistypedIn(known);
  if (mistyped.length > 0) throw new Error(mistyped.join('; '));
  const missing = missingIn(known);
  if (missing.length > 0) {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(({ name, indexed }) => [name, indexed])),
    });
  }
  return missing.map(({ name }) => name);
}

async function readAttributes(connection: AttributeReader, namespace: string): Promise<Known> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return customAttributes ?? {};
}

async function readUnlessKept(connection: AttributeReader, namespace: string): Promise<Known | undefined> {
  try {
    return await readAttributes(connection, namespace);
  } catch (error) {
    if (error instanceof Error && 'code' in error && keptFromUs.includes(Number(error.code)))
      return undefined;
    throw error;
  }
}
