/** Properties try the same cases in every run; DORMOUSE_TEST_SEED searches elsewhere. */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.DORMOUSE_TEST_SEED ?? 42) });
