/** The rungs of the ladder and the stages that they lead to. Pure. */

/** From the mildest to the harshest. */
export const rungNames = ['warn', 'suspend', 'revoke', 'winback', 'deactivate', 'delete'] as const;
export type RungName = (typeof rungNames)[number];

export const stages = ['active', 'warned', 'suspended', 'revoked', 'deactivated', 'deleted'] as const;
export type Stage = (typeof stages)[number];

/** The stage that a rung leads to; `winback` is a mail and leads to none. */
export const stageOfRung: Readonly<Record<RungName, Stage | undefined>> = {
  warn: 'warned',
  suspend: 'suspended',
  revoke: 'revoked',
  winback: undefined,
  deactivate: 'deactivated',
  delete: 'deleted',
};

/** Rungs that need a notice ahead of them (docs/architecture.md, invariant 2). */
export const destructiveRungs = ['revoke', 'deactivate', 'delete'] as const satisfies readonly RungName[];
export type DestructiveRung = (typeof destructiveRungs)[number];

export function isDestructive(rung: RungName): rung is DestructiveRung {
  return (destructiveRungs as readonly RungName[]).includes(rung);
}
