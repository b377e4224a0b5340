/** The text of a policy file that stands for a workflow of Keycloak: what was carried over, below remarks on the rest. Pure. */
import { stringify } from 'yaml';
import type { CarriedOver } from './carry-over.js';

const settings = {
  recheck: '7d',
  jitter: '1h',
  retry: { attempts: 40, firstAfter: '10s', longestAfter: '1h' },
};

/** Without what breaks a line, or what a terminal does not show as it stands. */
const plain = (text: string) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]+/gu, ' ');

const comment = (text: string) => `# ${plain(text)}`;

/** @param name of the workflow, for the comment and the description */
export function policyText(id: string, name: string, { ladder, roles, remarks }: CarriedOver): string {
  const quoted = JSON.stringify(plain(name).slice(0, 200));
  const head = [
    `From the Keycloak workflow ${quoted}. Every duration counts from the latest sign of life.`,
    ...remarks.map((remark) => `- ${remark}.`),
  ];
  const body = {
    id,
    description: `From the Keycloak workflow ${quoted}`,
    ladder,
    ...(Object.keys(roles).length === 0 ? {} : { roles }),
    ...settings,
  };
  return `${head.map(comment).join('\n')}\n${stringify(body, { lineWidth: 0 })}`;
}

/** An id that a policy can have, made of the workflow's name. */
export function policyIdOf(name: string): string {
  const id = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 32)
    .replace(/-+$/, '');
  return id === '' ? 'from-keycloak' : id;
}
