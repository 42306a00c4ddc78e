import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry as Register } from 'prom-client';
import { rawPath } from './http.ts';
import type { Exchange, Fetch } from './listen.ts';
import { factsOf } from './request-facts.ts';
import { findRoute } from './routes.ts';

/** Counts what goes on, in the way of Prometheus. */
export interface Metrics {
  /** Answers `GET /metrics` itself, and counts the other requests on their way. */
  wrap(fetch: Fetch): Fetch;
  onExchange(exchange: Exchange): void;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);

/**
 * Makes the metrics of one registry. Labels have few values, whatever clients send.
 *
 * Source: https://prometheus.io/docs/practices/naming/
 */
export function createMetrics(): Metrics {
  const register = new Register();
  collectDefaultMetrics({ register });
  const registers = [register];
  const labelNames = ['method', 'route', 'status'] as const;
  const requests = new Counter({ name: 'gypsum_requests_total', help: 'Requests answered.', labelNames, registers });
  const aborted = new Counter({
    name: 'gypsum_requests_aborted_total',
    help: 'Requests whose answer did not get to its end.',
    labelNames: ['route'],
    registers,
  });
  const seconds = new Histogram({
    name: 'gypsum_request_duration_seconds',
    help: 'Time from a request to the end of its answer.',
    labelNames: ['route'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
    registers,
  });
  const received = new Counter({ name: 'gypsum_received_bytes_total', help: 'Bytes of requests.', registers });
  const sent = new Counter({ name: 'gypsum_sent_bytes_total', help: 'Bytes of answers.', registers });
  const files = new Counter({
    name: 'gypsum_bulk_files_total',
    help: 'Files that were asked for many at once.',
    registers,
  });
  const running = new Gauge({
    name: 'gypsum_requests_in_progress',
    help: 'Requests being answered.',
    labelNames: ['route'],
    registers,
  });
  const counted = new WeakSet<Request>();
  const routeOf = (request: Request | undefined) => (request && findRoute(request)?.name) ?? 'none';

  return {
    wrap: (fetch) => async (request) => {
      if (rawPath(request) === '/metrics' && request.method === 'GET') {
        return new Response(await register.metrics(), { headers: { 'content-type': register.contentType } });
      }
      counted.add(request);
      running.inc({ route: routeOf(request) });
      return fetch(request);
    },
    onExchange(exchange) {
      const { request, status } = exchange;
      const route = routeOf(request);
      const method = METHODS.has(exchange.method) ? exchange.method : 'other';
      requests.inc({ method, route, status: String(status) });
      if (exchange.aborted) aborted.inc({ route });
      seconds.observe({ route }, exchange.duration / 1000);
      received.inc(exchange.received);
      sent.inc(exchange.sent);
      files.inc((request && factsOf(request)?.files) ?? 0);
      if (request !== undefined && counted.has(request)) running.dec({ route });
    },
  };
}
