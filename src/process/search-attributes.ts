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
  const known = await readAttributes(connection, namespace);
  if (known === undefined) return [];
  return wanted.flatMap(({ name, type, indexed }) => {
    if (known[name] === undefined) return [`the search attribute ${name} is not registered`];
    return known[name] === indexed ? [] : [`the search attribute ${name} is of another type than ${type}`];
  });
}

/**
 * Registers those that are missing. Safe to repeat.
 * @returns the names that it registered
 * @throws what the server says
 */
export async function registerSearchAttributes(
  connection: AttributeReader,
  namespace: string,
): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = wanted.filter(({ name }) => customAttributes?.[name] === undefined);
  if (missing.length > 0) {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(({ name, indexed }) => [name, indexed])),
    });
  }
  return missing.map(({ name }) => name);
}

async function readAttributes(connection: AttributeReader, namespace: string) {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return customAttributes ?? {};
  } catch (error) {
    if (error instanceof Error && 'code' in error && keptFromUs.includes(Number(error.code)))
      return undefined;
    throw error;
  }
}
