/**
 * Populations: other ladders for some people, by fields that only admins write. From top to bottom, the first that fits counts. Pure.
 */
import { z } from 'zod';
import { type Ladder, ladder } from './ladder.js';

const words = (what: string) =>
  z
    .array(z.string().trim().min(1).max(255))
    .min(1, `is empty. Name at least one ${what}, or leave the field out`)
    .max(100);

const population = z.strictObject({
  /** For reports and errors: what an operator calls these people. */
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'takes lower-case letters, digits and hyphens, 32 at most'),
  /** All fields have to fit; of a list, any member. */
  when: z
    .strictObject({
      /** Kratos identity schemas. */
      schemas: words('schema').optional(),
      /** `metadata_admin.account_type`; `regular` is also an identity without one. */
      accountTypes: words('account type').optional(),
      /** `metadata_admin.role`. A role from the traits never counts here: the person may have written it. */
      roles: words('role').optional(),
      /** `metadata_admin.groups`, a list or one word. */
      groups: words('group').optional(),
    })
    .refine((when) => Object.values(when).some((value) => value !== undefined), {
      error: 'names nobody. Write schemas, accountTypes, roles or groups',
    }),
  ladder: z.union([z.literal('never'), ladder], {
    error: 'is neither "never" (exempt) nor a whole ladder. Rungs that it leaves out are not done',
  }),
});

export const populationsSection = z.array(population).max(50).default([]);

export type Population = z.infer<typeof population>;

/** What a population is chosen by. */
export interface PopulationFields {
  readonly schemaId: string;
  readonly accountType?: string;
  readonly adminRole?: string;
  readonly groups?: readonly string[];
}

/** Words that admins write: alike whatever their case. */
export const isSameWord = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

function fits(wanted: readonly string[] | undefined, found: readonly string[]): boolean {
  return wanted === undefined || wanted.some((one) => found.some((other) => isSameWord(one, other)));
}

const list = (word: string | undefined) => (word === undefined ? [] : [word]);

/** @returns the first population that the identity belongs to; `undefined`: the policy's own ladder applies */
export function populationOf(
  populations: readonly Population[],
  { schemaId, accountType = 'regular', adminRole, groups = [] }: PopulationFields,
): Population | undefined {
  return populations.find(
    ({ when }) =>
      (when.schemas === undefined || when.schemas.includes(schemaId)) &&
      fits(when.accountTypes, [accountType]) &&
      fits(when.roles, list(adminRole)) &&
      fits(when.groups, groups),
  );
}

/** The ladders of the populations that have one. */
export function laddersOfPopulations(
  populations: readonly Population[],
): readonly { readonly index: number; readonly name: string; readonly ladder: Ladder }[] {
  return populations.flatMap(({ name, ladder }, index) =>
    ladder === 'never' ? [] : [{ index, name, ladder }],
  );
}
