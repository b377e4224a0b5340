/** The client over HTTP: signs of life in batches, and one request for each question or decision. */
import type { Exemption } from '../domain/exemption.js';
import { given } from '../domain/given.js';
import { parseIdentityId } from '../domain/identity-id.js';
import { rfc3339 } from '../domain/rfc3339.js';
import type { SignOfLife } from '../domain/sign-of-life.js';
import type { TraceContext } from '../domain/trace-context.js';
import { within } from '../process/bounded.js';
import { DormouseUnavailableError, InvalidRequestError, NotEnrolledError } from '../process/caller-errors.js';
import { SignBuffer } from '../signs/buffer.js';
import type { IdentitySign } from '../signs/identity-sign.js';
import { readAppTrace } from './app-trace.js';
import { checkedSign, checkedTime } from './checks.js';
import { withDefaults } from './defaults.js';
import { GatewayHttp } from './gateway-http.js';
import type {
  ActivityReport,
  Counters,
  Dormouse,
  DormouseOptions,
  HoldAnswer,
  OperatorRequest,
  PublicStanding,
  RecordOutcome,
  StandingDetails,
  Worklist,
  WorklistRequest,
} from './types.js';

/** Lines of one request. The gateway takes 1,000, and may have to start a lifecycle for each. */
const mostLines = 500;
/** Pause between two tries while the gateway is away, milliseconds at most. */
const longestBackOffMs = 30_000;

interface BatchAnswer {
  readonly results: readonly { readonly outcome: string; readonly message?: string }[];
}

export class GatewayClient implements Dormouse {
  private readonly http: GatewayHttp;
  private readonly readTrace: () => TraceContext | undefined;
  private readonly buffer: SignBuffer;
  private readonly timeoutMs: number;
  private readonly requestTimeoutMs: number;
  private readonly counts = { recorded: 0, dropped: 0, noted: 0 };

  /** @throws InvalidRequestError */
  constructor(private readonly options: DormouseOptions) {
    this.readTrace = readAppTrace(options.openTelemetry);
    this.http = new GatewayHttp(options.gateway, this.readTrace);
    const { timeoutMs, requestTimeoutMs, batchMs, maxPending } = withDefaults(options);
    this.timeoutMs = timeoutMs;
    this.requestTimeoutMs = requestTimeoutMs;
    this.buffer = new SignBuffer({
      flush: (signs) => this.handOn(signs),
      intervalMs: batchMs,
      maxPending,
      maxBatch: mostLines,
      longestBackOffMs,
      ...given({ onError: options.onError }),
    });
  }

  noteActivity(identityId: string, report: ActivityReport = {}): void {
    this.buffer.add({ ...this.traced(checkedSign(report)), identityId: parseIdentityId(identityId) });
    this.counts.noted += 1;
  }

  async recordActivity(identityId: string, report: ActivityReport = {}): Promise<RecordOutcome> {
    const sign = { ...this.traced(checkedSign(report)), identityId: parseIdentityId(identityId) };
    try {
      const [result] = await this.send([sign], this.timeoutMs);
      if (result?.outcome === 'invalid') throw new InvalidRequestError(result.message ?? 'refused');
      if (result?.outcome === 'recorded') this.counts.recorded += 1;
      else this.counts.dropped += 1;
      return result?.outcome === 'recorded' ? 'recorded' : 'dropped';
    } catch (error) {
      if (!(error instanceof DormouseUnavailableError) || this.options.whenUnavailable !== 'drop')
        throw error;
      this.counts.dropped += 1;
      return 'dropped';
    }
  }

  async standing(identityId: string): Promise<PublicStanding | undefined> {
    return this.read(identityId, this.timeoutMs, 'standing').catch((error: unknown) => {
      if (error instanceof NotEnrolledError) return undefined;
      throw error;
    });
  }

  async liveStanding(identityId: string): Promise<PublicStanding & StandingDetails> {
    return this.read(identityId, this.requestTimeoutMs, 'standing?live=true');
  }

  async revokedBefore(identityId: string): Promise<number | undefined> {
    const answer = await this.read<{ revokedBefore?: number }>(identityId, this.timeoutMs, 'revoked-before');
    return answer.revokedBefore;
  }

  async enrol(
    identityId: string,
    options: { lastActiveAt?: Date | number; policyId?: string } = {},
  ): Promise<boolean> {
    const { lastActiveAt, policyId } = options;
    const at = lastActiveAt === undefined ? undefined : rfc3339(checkedTime('lastActiveAt', lastActiveAt));
    const body = given({ lastActiveAt: at, policyId });
    return (await this.decide<{ started: boolean }>(identityId, 'enrol', body)).started;
  }

  async applyPolicy(
    identityId: string,
    request: OperatorRequest & { policyId: string; version?: number },
  ): Promise<PublicStanding> {
    return this.decide(identityId, 'apply-policy', request);
  }

  async hold(identityId: string, request: Parameters<Dormouse['hold']>[1]): Promise<HoldAnswer> {
    return this.decide(identityId, 'hold', { ...request, until: timeOf('until', request.until) });
  }

  async release(identityId: string, request: Parameters<Dormouse['release']>[1]): Promise<HoldAnswer> {
    return this.decide(identityId, 'release', request);
  }

  async reactivate(
    identityId: string,
    request: OperatorRequest & { reason: string },
  ): Promise<PublicStanding> {
    return this.decide(identityId, 'reactivate', request);
  }

  async lookAgain(identityId: string): Promise<void> {
    await this.decide(identityId, 'look-again', {});
  }

  async retryParked(identityId: string, request: OperatorRequest): Promise<PublicStanding> {
    return this.decide(identityId, 'retry-parked', request);
  }

  async skipParked(
    identityId: string,
    request: OperatorRequest & { reason: string },
  ): Promise<PublicStanding> {
    return this.decide(identityId, 'skip-parked', request);
  }

  async exempt(identityId: string, request: Parameters<Dormouse['exempt']>[1]): Promise<Exemption> {
    return this.decide(identityId, 'exempt', { ...request, reviewAt: timeOf('reviewAt', request.reviewAt) });
  }

  async reviewExemption(
    identityId: string,
    { requestId: _requestId, ...request }: Parameters<Dormouse['reviewExemption']>[1],
  ): Promise<Exemption> {
    const reviewAt = timeOf('reviewAt', request.reviewAt);
    return this.decide(identityId, 'review-exemption', { ...request, reviewAt });
  }

  async endExemption(
    identityId: string,
    { requestId: _requestId, ...request }: Parameters<Dormouse['endExemption']>[1],
  ): Promise<Exemption> {
    return this.decide(identityId, 'end-exemption', request);
  }

  async worklist(request: WorklistRequest = {}): Promise<Worklist> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(request)) {
      if (value !== undefined) query.set(name, String(value));
    }
    const path = `/v1/worklist${query.size === 0 ? '' : `?${query}`}`;
    return this.http.ask({ method: 'GET', path, timeoutMs: this.requestTimeoutMs });
  }

  counters(): Counters {
    const { superseded, dropped, pending } = this.buffer.counters();
    const { recorded, noted } = this.counts;
    const all = this.counts.dropped + dropped;
    return { recorded, noted, dropped: all, superseded, pending, recordedWithoutSignal: 0, signalled: 0 };
  }

  async close(): Promise<void> {
    await within(this.requestTimeoutMs, 'The gateway', this.buffer.close()).catch(() => undefined);
  }

  private async handOn(signs: readonly IdentitySign[]): Promise<void> {
    const results = await this.send(signs, this.requestTimeoutMs);
    // Sent again, they would be refused again.
    this.counts.dropped += results.filter(({ outcome }) => outcome !== 'recorded').length;
  }

  /**
   * @returns what became of each sign
   * @throws DormouseUnavailableError where one was not taken. All may be sent again: what was recorded moves nothing twice
   */
  private async send(signs: readonly IdentitySign[], timeoutMs: number): Promise<BatchAnswer['results']> {
    const lines = signs.map(({ identityId, at, kind, source, trace }) =>
      JSON.stringify({
        identityId,
        at: rfc3339(at),
        kind,
        source,
        ...given({ traceparent: trace?.traceparent }),
      }),
    );
    const { results } = await this.http.ask<BatchAnswer>({
      method: 'POST',
      path: '/v1/activity',
      body: lines.join('\n'),
      contentType: 'application/x-ndjson',
      timeoutMs,
    });
    const isWhole = Array.isArray(results) && results.length === signs.length;
    if (!isWhole || results.some(({ outcome }) => outcome === 'unavailable'))
      throw new DormouseUnavailableError('The gateway');
    return results;
  }

  private traced(sign: SignOfLife) {
    return { ...sign, ...given({ trace: this.readTrace() }) };
  }

  private read<Answer = PublicStanding>(id: string, timeoutMs: number, what: string): Promise<Answer> {
    return this.http.ask({ method: 'GET', path: pathOf(id, what), timeoutMs });
  }

  private decide<Answer = PublicStanding>(id: string, what: string, body: object): Promise<Answer> {
    const timeoutMs = this.requestTimeoutMs;
    return this.http.ask({ method: 'POST', path: pathOf(id, what), body: JSON.stringify(body), timeoutMs });
  }
}

/** @throws InvalidIdentityIdError */
function pathOf(identityId: string, what: string): string {
  return `/v1/identities/${parseIdentityId(identityId)}/${what}`;
}

/** @throws InvalidRequestError */
function timeOf(field: string, time: Date | number): string {
  const at = Number(time);
  if (!Number.isFinite(at) || Math.abs(at) > 8.64e15) {
    throw new InvalidRequestError(`${field}: is not a time. Pass a Date or epoch milliseconds`);
  }
  return rfc3339(at);
}
