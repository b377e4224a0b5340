/**
 * The inputs of workflows that Temporal Schedules start. Types only: code that
 * creates schedules needs no workflow.
 */

/** A position between two rows of a source. Rows are ordered by time and, at the same time, by identity. */
export interface SourcePosition {
  /**
   * Timestamp in PostgreSQL's ISO form, to the microsecond: a JavaScript Date
   * would lose the last three digits.
   */
  readonly at: string;
  /** UUID, or empty for "before every identity". */
  readonly identity: string;
}

/** The position of a poll from which another attempt continues. */
export interface PollPlace {
  readonly position: SourcePosition;
  /** When the poll began, epoch milliseconds. */
  readonly startedAt: number;
}

export interface PollActivitySourceInput {
  readonly schemaVersion: 1;
  /** Its name in DORMOUSE_ACTIVITY_SOURCES_FILE. */
  readonly source: string;
  /** Handed over at continue-as-new: where to continue. */
  readonly from?: PollPlace;
  /** Handed over at continue-as-new: rows read before. */
  readonly rows?: number;
}

export interface EndIdleSessionsInput {
  readonly schemaVersion: 1;
}

export interface EndPersonalTokensInput {
  readonly schemaVersion: 1;
}

export interface EndSourcedTokensInput {
  readonly schemaVersion: 1;
  /** Its name in DORMOUSE_TOKEN_SOURCES_FILE. */
  readonly source: string;
}

export interface SweepRefreshTokensInput {
  readonly schemaVersion: 1;
}

export interface MailMonthReportsInput {
  readonly schemaVersion: 1;
}

export interface DeliverSignalsInput {
  readonly schemaVersion: 1;
  /** Its name in DORMOUSE_SHARED_SIGNALS_FILE. */
  readonly receiver: string;
}
