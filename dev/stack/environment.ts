/**
 * The environment of the embedded stack. The only file of `dev` that reads `process.env`,
 * except for what a child inherits.
 */

/** Where the embedded stack looks for servers and keeps its builds. */
export function readStackEnvironment(env: Record<string, string | undefined> = process.env) {
  return {
    /** Directory that keeps built servers between runs; default: the user's cache directory. */
    cacheDirectory: env.DORMOUSE_CACHE_DIR,
    xdgCacheHome: env.XDG_CACHE_HOME,
    path: env.PATH ?? '',
    ci: env.CI === 'true',
    /** Addresses of parts that run elsewhere. Such a part is not started. */
    external: {
      temporal: env.DORMOUSE_TEMPORAL_ADDRESS,
      postgres: env.DORMOUSE_POSTGRES_URL,
      kratosPublic: env.DORMOUSE_KRATOS_PUBLIC_URL,
      kratosAdmin: env.DORMOUSE_KRATOS_ADMIN_URL,
      hydraPublic: env.DORMOUSE_HYDRA_PUBLIC_URL,
      hydraAdmin: env.DORMOUSE_HYDRA_ADMIN_URL,
      smtp: env.DORMOUSE_SMTP_URL,
    },
    /** What a child process inherits. */
    inherited: env,
  };
}

export type StackEnvironment = ReturnType<typeof readStackEnvironment>;
