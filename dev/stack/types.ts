/**
 * The embedded stack's interface for its callers: `npm start`, `npm run demo`, the
 * CLI and the tests. Types only.
 */

/** Addresses and credentials of a running stack; the content of `stack.json`. */
export interface StackInfo {
  temporal: {
    /** `host:port` of the frontend. */
    address: string;
    namespace: string;
    /** The Temporal UI; empty for a Temporal from the environment, whose UI is not known. */
    uiUrl: string;
  };
  /**
   * Connection URLs of Dormouse's own database: of its owner, and of the role that worker and gateway use.
   */
  postgres: { url: string; runtimeUrl: string };
  kratos: { publicUrl: string; adminUrl: string };
  hydra: { publicUrl: string; adminUrl: string };
  mail: {
    smtpUrl: string;
    /** The mail catcher's page; empty for a mail server from the environment. */
    webUrl: string;
    /**
     * All caught mails as JSON (`GET`, and `DELETE <apiUrl>/all`); empty for a
     * mail server from the environment.
     */
    apiUrl: string;
  };
  gateway: {
    /** Where the gateway listens, or would listen if it was left out. */
    url: string;
    serviceToken: string;
    /** API keys of the callers of the gateway's hooks. */
    hookKeys: { kratos: string; hydra: string; mail: string };
  };
  /** Keys that the command line also needs. */
  keys: {
    /** Signs the heads of the audit log; a JWK. */
    auditSigningKey: string;
    /** Wraps the keys that personal data is encrypted with. */
    dataKey: string;
    /** Recognises identifiers of deleted accounts. */
    identifierKey: string;
  };
}

/** A part that ended without being stopped. */
export interface PartDied {
  name: string;
  /** `null` when a signal ended it. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** The end of its log, oldest line first. */
  lastLines: string[];
  logFile: string;
}

export interface StartStackOptions {
  /** Keeps data, logs and `stack.json`; created when missing. Not touched when `ephemeral`. */
  dataDirectory: string;
  /**
   * Keep everything in a temporary directory that is deleted at stop, and use any free ports. Default: false.
   */
  ephemeral?: boolean;
  /** Remove the data of earlier runs first. Default: false. */
  fresh?: boolean;
  /** Start Dormouse's worker. Default: true. */
  worker?: boolean;
  /** Start Dormouse's gateway. Default: true. */
  gateway?: boolean;
  /**
   * Let Hydra ask the gateway before it issues a token. Without a gateway Hydra then issues none. A
   * caller that leaves the gateway out and starts one at `info.gateway.url` sets this. Default:
   * whether the gateway is started.
   */
  tokenHook?: boolean;
  /**
   * Policy file for worker and gateway. People follow its policy, unless `DORMOUSE_POLICY_ID` names another.
   * Default: `DORMOUSE_POLICY_FILE`, else `policies/default.yaml`.
   */
  policyFile?: string;
  /** More variables for worker and gateway. They override the stack's own. */
  extraEnvironment?: Record<string, string>;
  /** Receives one line of progress at a time. Default: no progress. */
  report?: (line: string) => void;
  /**
   * Receives what a long step is doing, about once a second, to be shown in place; `''` clears it. Without
   * it, `report` gets a line now and then.
   */
  reportStatus?: (status: string) => void;
  /** Cancels the start. Parts that were started are stopped. */
  signal?: AbortSignal;
}

export interface RunningStack {
  info: StackInfo;
  /** The `DORMOUSE_*` variables that worker, gateway and CLI need for this stack. */
  environment: Record<string, string>;
  /** Where data and logs are; a temporary directory when `ephemeral`. */
  dataDirectory: string;
  /** Resolves when a part ends without being stopped; never rejects. The caller then calls `stop`. */
  died: Promise<PartDied>;
  /** Ends every part: worker and gateway first, PostgreSQL last. May be called more than once. */
  stop(): Promise<void>;
}
