/** A collector: takes traces over OTLP/HTTP in protobuf, and keeps what it took. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

/** What of opentelemetry/proto/collector/trace/v1/trace_service.proto tests look at, by its field numbers. */
const { root } = protobuf.parse(`
syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { repeated Span spans = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  repeated Event events = 11; repeated Link links = 13; Status status = 15;
}
message Event { string name = 2; }
message Link { bytes trace_id = 1; bytes span_id = 2; }
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`);
const requests = root.lookupType('Request');

interface WireKeyValue {
  readonly key: string;
  readonly value?: Record<string, string | number | boolean>;
}
interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes?: readonly WireKeyValue[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly events?: readonly object[];
  readonly status?: { readonly code?: number; readonly message?: string };
}
interface WireRequest {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly WireKeyValue[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly WireSpan[] }[];
  }[];
}

export interface TakenSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: none. */
  readonly parentId: string;
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly events: number;
  readonly status: { readonly code?: number; readonly message?: string };
}

/** How the collector answers: `take` as it should, `refuse` with 500 and words of its own, `hang` never. */
export type Behaviour = 'take' | 'refuse' | 'hang';

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly TakenSpan[];
  /** The bodies as they came, to be searched for what must not be there. */
  readonly bodies: readonly Buffer[];
  readonly requests: readonly { readonly path: string; readonly headers: NodeJS.Dict<string | string[]> }[];
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  let behaviour: Behaviour = 'take';
  const spans: TakenSpan[] = [];
  const bodies: Buffer[] = [];
  const seen: { path: string; headers: NodeJS.Dict<string | string[]> }[] = [];
  const take = (body: Buffer, response: ServerResponse) => {
    if (behaviour === 'hang') return;
    if (behaviour === 'refuse') {
      response.writeHead(500).end('the disk of collector 7 is full');
      return;
    }
    bodies.push(body);
    spans.push(...decoded(body));
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    seen.push({ path: request.url ?? '', headers: request.headers });
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      take(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    bodies,
    requests: seen,
    behave(next) {
      behaviour = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const hex = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString('hex');

function decoded(body: Buffer): TakenSpan[] {
  const { resourceSpans = [] } = requests.toObject(requests.decode(body), {
    bytes: String,
    longs: Number,
  }) as WireRequest;
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
    const service = String(valuesOf(resource?.attributes)['service.name']);
    return scopeSpans.flatMap(({ spans = [] }) => spans.map((span) => spanOf(service, span)));
  });
}

function spanOf(service: string, span: WireSpan): TakenSpan {
  return {
    service,
    name: span.name,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentId: hex(span.parentSpanId),
    attributes: valuesOf(span.attributes),
    links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId: hex(traceId), spanId: hex(spanId) })),
    events: span.events?.length ?? 0,
    status: span.status ?? {},
  };
}

function valuesOf(attributes: readonly WireKeyValue[] = []) {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value ?? {})[0]]));
}
