/**
 * What the embedded stack promises to those who start it or look for it: `npm start`, `npm run demo`, the CLI and
 * the tests. Types only.
 */

/** Addresses and credentials of a running stack; the content of `stack.json`. */
export interface StackInfo {
  temporal: {
    /** `host:port` of the frontend. */
    address: string;
    namespace: string;
    /** The Temporal UI; empty for a Temporal given by the environment, whose UI is not known. */
    uiUrl: string;
  };
  /** Connection URLs of Dormouse's own database: of its owner, and of the role that worker and gateway use. */
  postgres: { url: string; runtimeUrl: string };
  kratos: { publicUrl: string; adminUrl: string };
  hydra: { publicUrl: string; adminUrl: string };
  mail: {
    smtpUrl: string;
    /** The mail catcher's page; empty for a mail server given by the environment. */
    webUrl: string;
    /** All caught mails as JSON (`GET`, and `DELETE <apiUrl>/all`); empty for a mail server given by the environment. */
    apiUrl: string;
  };
  gateway: {
    /** Where the gateway listens, or would listen when it was left out. */
    url: string;
    serviceToken: string;
    /** API keys of those who call the gateway's hooks. */
    hookKeys: { kratos: string; hydra: string; mail: string };
  };
  /** Keys that the command line needs as well. */
  keys: {
    /** Signs the heads of the audit log; a JWK. */
    auditSigningKey: string;
    /** Wraps the keys that personal data is encrypted with. */
    dataKey: string;
    /** Recognises identifiers of deleted accounts. */
    identifierKey: string;
  };
}

/** A part that ended although nobody stopped it. */
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
  /** Keeps data, logs and `stack.json`; made when missing. Not touched when `ephemeral`. */
  dataDirectory: string;
  /** Keep everything in a temporary directory that goes away at stop, on ports nobody prefers. Default: false. */
  ephemeral?: boolean;
  /** Remove the data of earlier runs first. Default: false. */
  fresh?: boolean;
  /** Start Dormouse's worker. Default: true. */
  worker?: boolean;
  /** Start Dormouse's gateway. Default: true. */
  gateway?: boolean;
  /**
   * Let Hydra ask the gateway before it issues a token. Without a gateway it then issues none: a caller who leaves the
   * gateway out and starts one at `info.gateway.url` says so here. Default: whether the gateway is started.
   */
  tokenHook?: boolean;
  /**
   * Policy file for worker and gateway; people follow its policy, unless `DORMOUSE_POLICY_ID` names another. Default:
   * `DORMOUSE_POLICY_FILE`, else `policies/default.yaml`.
   */
  policyFile?: string;
  /** More variables for worker and gateway; they win over the stack's own. */
  extraEnvironment?: Record<string, string>;
  /** Receives one line of progress at a time. Default: silence. */
  report?: (line: string) => void;
  /** Receives what a long step is doing, about once a second, to be shown in place; `''` clears it. Without it `report` gets a line now and then. */
  reportStatus?: (status: string) => void;
  /** Gives up the start; what was started is stopped. */
  signal?: AbortSignal;
}

export interface RunningStack {
  info: StackInfo;
  /** The `DORMOUSE_*` variables that worker, gateway and CLI need for this stack. */
  environment: Record<string, string>;
  /** Where data and logs are; a temporary directory when `ephemeral`. */
  dataDirectory: string;
  /** Resolves when a part ends that nobody stopped; never rejects. The caller then calls `stop`. */
  died: Promise<PartDied>;
  /** Ends every part: worker and gateway first, PostgreSQL last. May be called more than once. */
  stop(): Promise<void>;
}
