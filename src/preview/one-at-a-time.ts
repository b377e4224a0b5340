/** Previews and simulations read everybody, so one runs at a time in a process: the API and the desk share it. */

/** Another one runs. */
export class PreviewUnderWayError extends Error {
  override readonly name = 'PreviewUnderWayError';
  constructor() {
    super('Another preview or simulation runs at this gateway. Ask again when it is done.');
  }
}

let isBusy = false;

/** @throws PreviewUnderWayError, and what the work throws */
export async function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  // guard: previews: one runs at a time, for API and desk
  if (isBusy) throw new PreviewUnderWayError();
  isBusy = true;
  try {
    return await work();
  } finally {
    isBusy = false;
  }
}
