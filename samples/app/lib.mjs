// What the sample programs share: flags, where other services are, outgoing calls, and the end of a process.
import { Agent, request } from "node:http";
import { connect, isIPv4 } from "node:net";
import { hostname } from "node:os";

/** Flags of Go programs and of ours: -name value, -name=value, --name value, --name=value; a flag alone is "true". */
export function readFlags(argv) {
  const flags = {};
  for (let i = 0; i < argv.length; i += 1) {
    const match = /^--?([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(argv[i]);
    if (match === null) throw new Error(`unexpected argument ${argv[i]}`);
    const [, name, joined] = match;
    if (joined !== undefined) flags[name] = joined;
    else if (i + 1 < argv.length && !/^--?[A-Za-z]/.test(argv[i + 1])) flags[name] = argv[(i += 1)];
    else flags[name] = "true";
  }
  return flags;
}

/** Who answers: shown in every response. */
export const self = {
  pod: process.env.POD_NAME ?? process.env.HOSTNAME ?? hostname(),
  version: process.env.VERSION ?? "v1",
};

/** The address to listen on; undefined is all addresses. */
export const bindAddress = process.env.BIND_ADDRESS || undefined;

/**
 * Where a service is dialled: its NAME_SERVICE_HOST/_PORT, which Kubernetes gives every container, else its DNS name.
 * The first label of the host names the service.
 */
export function locate(host, port) {
  const prefix = (host.split(".")[0] ?? "").toUpperCase().replaceAll("-", "_");
  const address = process.env[`${prefix}_SERVICE_HOST`];
  if (address === undefined || address === "") return { host, port };
  const mapped = /:(\d+)$/.exec(process.env[`${prefix}_PORT_${port}_TCP`] ?? "")?.[1];
  const only = process.env[`${prefix}_SERVICE_PORT`];
  return { host: address, port: Number(mapped ?? only ?? port) };
}

/** Headers that make one trace of many hops; an application has to pass them on, no proxy can do it for it. */
const TRACE = /^(x-request-id|traceparent|tracestate|baggage|b3|x-b3-.+|x-ot-span-context|x-user)$/;

/** The trace headers among those of an incoming request. */
export function traceHeaders(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => TRACE.test(name)));
}

const agents = new Map();

/** Connections to one place are kept and used again. */
function agentFor(host, port, limit) {
  const key = `${host}:${port}:${limit}`;
  let agent = agents.get(key);
  if (agent === undefined) agents.set(key, (agent = new Agent({ keepAlive: true, maxSockets: limit })));
  return agent;
}

/** Whether no_proxy names the host: itself, its domain, `*`, or an IPv4 network that holds it. */
function isDirect(host) {
  const list = (process.env.no_proxy || process.env.NO_PROXY || "").split(",").map((item) => item.trim());
  return list.some((item) => {
    if (item === "") return false;
    const [network, bits] = item.split("/");
    if (bits !== undefined && isIPv4(host) && isIPv4(network)) return prefix(host, bits) === prefix(network, bits);
    return item === "*" || host === item || host.endsWith(`.${item.replace(/^\./, "")}`);
  });
}

/** The first bits of an IPv4 address, as a number. */
function prefix(address, bits) {
  const value = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return Math.floor(value / 2 ** (32 - Number(bits)));
}

/** What to dial for a URL, and the path to ask for there. */
function way(url) {
  const proxy = process.env.http_proxy || process.env.HTTP_PROXY;
  if (!proxy || isDirect(url.hostname))
    return { place: locate(url.hostname, Number(url.port || 80)), path: `${url.pathname}${url.search}` };
  const { hostname: host, port } = new URL(proxy);
  return { place: { host, port: Number(port || 80) }, path: url.href };
}

/**
 * One HTTP request. With http_proxy set it goes there in absolute form, otherwise straight to the service.
 * Resolves with { status, headers, body }; rejects when there is no answer within `timeout` ms.
 */
export function call(target, { method = "GET", headers = {}, timeout = 10_000, limit = 64, keep = true } = {}) {
  const url = new URL(target);
  const { place, path } = way(url);
  return new Promise((resolve, reject) => {
    const options = {
      ...place,
      path,
      method,
      headers: { host: url.host, ...headers },
      agent: keep ? agentFor(place.host, place.port, limit) : false,
    };
    const outgoing = request(options, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    outgoing.setTimeout(timeout, () => outgoing.destroy(new Error(`no answer within ${timeout} ms`)));
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** Sends lines over one TCP connection and resolves with the lines that come back, one for each sent. */
export function talk(host, port, lines, { timeout = 5_000, hold = 0 } = {}) {
  const place = locate(host, port);
  return new Promise((resolve, reject) => {
    const socket = connect(place);
    let text = "";
    const fail = (words) => socket.destroy(new Error(words));
    socket.setTimeout(timeout, () => fail(`no answer from ${host}:${port} within ${timeout} ms`));
    socket.on("connect", () => socket.write(lines.map((line) => `${line}\n`).join("")));
    socket.on("data", (chunk) => {
      text += chunk;
      const got = text.split("\n").slice(0, -1);
      if (got.length < lines.length) return;
      // an answer that was waited for is no reason to hurry away
      setTimeout(() => {
        resolve(got);
        socket.end();
      }, hold);
    });
    socket.on("end", () => fail(`${host}:${port} closed the connection`));
    socket.on("error", reject);
  });
}

/** Ends the process in peace on SIGTERM: no new connections, running requests finish. */
export function closeOnSignal(server) {
  for (const name of ["SIGTERM", "SIGINT"]) {
    process.once(name, () => {
      server.close(() => process.exit(0));
      server.closeIdleConnections?.();
      setTimeout(() => process.exit(0), 3_000).unref();
    });
  }
}

/** Listens, prints where, and ends the process with words when the port cannot be had. */
export function serve(server, name, port, host = bindAddress) {
  server.on("error", (error) => {
    console.error(`${name}: cannot listen on ${host ?? "*"}:${port}: ${error.message}`);
    process.exit(2);
  });
  server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
    console.log(`${name} ${self.version} listens on ${host ?? "*"}:${server.address().port}`);
  });
  closeOnSignal(server);
}
