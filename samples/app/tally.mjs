// Load with a count of what came back: used by client.mjs and by the client role of server.mjs.
import { setTimeout as pause } from "node:timers/promises";
import { call, talk } from "./lib.mjs";

/**
 * Sends `requests` requests (or as many as fit in `seconds`) with `concurrency` at a time, at most `rate` per second, and
 * resolves with the tally: how often each status, version, pod and error came, and the latency in ms. With `tcp` (host:port) each request is one
 * connection that sends `line` and stays open `hold` milliseconds after the answer.
 */
export async function tally(options) {
  const { requests = 1, concurrency = 1, seconds, rate = Number.POSITIVE_INFINITY } = options;
  const start = performance.now();
  const until = seconds === undefined ? Number.POSITIVE_INFINITY : start + seconds * 1000;
  const total = seconds === undefined ? requests : Number.POSITIVE_INFINITY;
  const counts = { status: {}, version: {}, pod: {}, error: {} };
  const times = [];
  let sent = 0;
  const worker = async () => {
    while (sent < total && performance.now() < until) {
      const due = start + (sent * 1000) / rate;
      sent += 1;
      if (due > performance.now()) await pause(due - performance.now());
      const from = performance.now();
      try {
        const seen = options.tcp === undefined ? await http(options) : await tcp(options);
        for (const [kind, value] of Object.entries(seen)) add(counts[kind], value);
      } catch (error) {
        add(counts.error, error.code ?? error.message);
      }
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, total) }, worker));
  times.sort((a, b) => a - b);
  const at = (share) =>
    Math.round((times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0) * 10) / 10;
  return { requests: sent, ...counts, latency: { p50: at(0.5), p99: at(0.99), max: at(1) } };
}

async function http({ url, method, headers, timeout, concurrency, keep }) {
  const answer = await call(url, { method, headers, timeout, keep, limit: concurrency ?? 1 });
  const told = toldOf(answer.body, answer.headers);
  return { status: String(answer.status), ...told };
}

/** Version and pod of who answered: fields of a JSON body, of its part `catalog` for the front, or headers. */
function toldOf(body, headers) {
  let read = {};
  try {
    const json = JSON.parse(body);
    read = json?.catalog?.version === undefined ? json : json.catalog;
  } catch {
    // not JSON: headers tell
  }
  const version = read?.version ?? headers["x-app-version"];
  const pod = read?.pod;
  return { ...(version === undefined ? {} : { version }), ...(pod === undefined ? {} : { pod }) };
}

async function tcp({ tcp: target, line = "PING", timeout, hold }) {
  const at = target.lastIndexOf(":");
  const [answer = ""] = await talk(target.slice(0, at), Number(target.slice(at + 1)), [line], { timeout, hold });
  const [status, pod] = answer.split(" ");
  return { status, ...(status === "PONG" && pod ? { pod } : {}) };
}

function add(table, key) {
  table[key] = (table[key] ?? 0) + 1;
}
