/** What a worker and a gateway need to do their work, each as one check. */
import type pg from 'pg';
import { missingMigrations } from '../postgres/prepare.js';
import { type AttributeReader, searchAttributeProblems } from '../process/search-attributes.js';
import type { ReadinessCheck } from './readiness.js';

/** PostgreSQL answers, and has the tables of this build. */
export function databaseIsReady(pool: pg.Pool): ReadinessCheck {
  return async () => {
    const missing = await missingMigrations(pool);
    if (missing.length === 0) return undefined;
    return `the database lacks ${missing.join(', ')}: run "dormouse database migrate"`;
  };
}

/** Temporal answers for the namespace, and knows the search attributes that lifecycles write. */
export function temporalIsReady(connection: AttributeReader, namespace: string): ReadinessCheck {
  return async () => {
    const problems = await searchAttributeProblems(connection, namespace);
    if (problems.length === 0) return undefined;
    return `${problems.join('; ')}: run "dormouse temporal register"`;
  };
}
