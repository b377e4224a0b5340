/** The preferred ports of the stack's parts. */
import { readConfig } from '../../src/config.js';
import type { StackEnvironment } from './environment.js';

/** Tried first, so that bookmarks keep working. Where one is busy, another is taken. */
const preferredPorts = {
  temporal: 7233,
  temporalUi: 8233,
  kratosPublic: 4433,
  kratosAdmin: 4434,
  hydraPublic: 4444,
  hydraAdmin: 4445,
  smtp: 1025,
  mailWeb: 1080,
  gateway: 8321,
  operatorSignIn: 8323,
  postgres: 5433,
};
export type StackPorts = Record<keyof typeof preferredPorts, number>;

/** A stack for tests leaves the preferred ports to a stack that a person started. */
const anyPorts: StackPorts = {
  temporal: 0,
  temporalUi: 0,
  kratosPublic: 0,
  kratosAdmin: 0,
  hydraPublic: 0,
  hydraAdmin: 0,
  smtp: 0,
  mailWeb: 0,
  gateway: 0,
  operatorSignIn: 0,
  postgres: 0,
};

/** The ports to try first; 0 stands for any free one. */
export function portsToTry(ephemeral: boolean, environment: StackEnvironment): StackPorts {
  if (ephemeral) return anyPorts;
  const { DORMOUSE_GATEWAY_PORT: gateway } = readConfig(['DORMOUSE_GATEWAY_PORT'], environment.inherited);
  return { ...preferredPorts, gateway };
}
