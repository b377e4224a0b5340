/** The option `--reason` of commands that decide. */
export const reasonOption = ['--reason <text>', 'why, for those who ask later'] as const;
