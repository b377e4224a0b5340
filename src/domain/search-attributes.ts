/**
 * The search attributes by which operators find workflows in the Temporal UI. Pure names and types, so that
 * the embedded stack, docker-compose.yml and the workflows agree. Few and short on purpose: visibility rows
 * are two thirds of what a sleeping workflow costs.
 */

export const searchAttributes = {
  /** Where the identity stands: `active`, `warned`, `suspended`, `revoked`, `deactivated`, `deleted`. */
  DormouseStage: 'Keyword',
  /** The next step: a rung, `notice:<rung>`, `return`, or `none`. */
  DormouseNextStep: 'Keyword',
  /** Why nothing happens at the moment: `hold`, `exempt`, `parked`, …; `none` when the ladder runs. */
  DormouseBlocked: 'Keyword',
  /** Policy id and version, as `default@3`. */
  DormousePolicy: 'Keyword',
  /** When the next step is due, as of the last wake-up. A later sign of life moves it. */
  DormouseNextStepAt: 'Datetime',
  /** The latest sign of life, as of the last wake-up. */
  DormouseLastActiveAt: 'Datetime',
} as const;
