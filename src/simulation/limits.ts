/** Bounds of a simulation: what takes minutes, not hours. */
export const mostPeople = 1_000_000;
export const mostDays = 3_650;
export const highestSeed = 4_294_967_295;
