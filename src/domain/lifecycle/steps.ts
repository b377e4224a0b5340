/** The names under which a failed look, a failed return and a failed burial are parked. */
export const lookStep = 'look';
export const returnStep = 'return';
export const buryStep = 'bury';
