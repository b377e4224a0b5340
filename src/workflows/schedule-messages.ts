/** What Temporal Schedules start their workflows with. Types only: whoever makes the schedules needs no workflow. */

/** Between two rows of a source, which are ordered by time and, at the same time, by identity. */
export interface SourcePosition {
  /** Timestamp in PostgreSQL's ISO form, to the microsecond: a JavaScript Date would lose the last three digits. */
  readonly at: string;
  /** UUID, or empty for "before every identity". */
  readonly identity: string;
}

/** Where a poll stands that another attempt goes on with. */
export interface PollPlace {
  readonly position: SourcePosition;
  /** When the poll began, epoch milliseconds. */
  readonly startedAt: number;
}

export interface PollActivitySourceInput {
  readonly schemaVersion: 1;
  /** Its name in DORMOUSE_ACTIVITY_SOURCES_FILE. */
  readonly source: string;
  /** Handed over at continue-as-new: where to go on. */
  readonly from?: PollPlace;
  /** Handed over at continue-as-new: rows read before. */
  readonly rows?: number;
}

export interface DeliverSignalsInput {
  readonly schemaVersion: 1;
  /** Its name in DORMOUSE_SHARED_SIGNALS_FILE. */
  readonly receiver: string;
}
