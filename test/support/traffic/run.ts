import { randomUUID } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import { compact } from "../../../src/base/compact.ts";
import { explicitPort } from "../../../src/base/explicit-port.ts";
import { parseServiceHost } from "../../../src/model/host.ts";
import { waitFor } from "../wait.ts";
import { ask, type Target } from "./ask.ts";
import { DO_HEADER, ID_HEADER, type Received } from "./backend.ts";
import type { CaseRequest, TrafficCase } from "./case.ts";
import { judge, type Outcome } from "./judge.ts";
import { httpProxy, type Lab } from "./lab.ts";
import { PORTS } from "./mesh-objects.ts";

/** Sends a case's request as often as it says, and says what is not as expected. */
export async function runRequest(lab: Lab, item: TrafficCase, request: CaseRequest): Promise<readonly string[]> {
  if (request.rotate === true) await lab.issuers[request.issuer ?? "main"].rotate();
  if (request.eventually !== true) return runOnce(lab, item, request);
  let problems: readonly string[] = [];
  const isFine = async (): Promise<boolean> => {
    problems = await runOnce(lab, item, request);
    return problems.length === 0;
  };
  await waitFor(isFine, { what: request.it, timeoutMs: 8_000 }).catch(() => undefined);
  return problems;
}

/** Copies may come late: they are waited for. */
async function runOnce(lab: Lab, item: TrafficCase, request: CaseRequest): Promise<readonly string[]> {
  const id = randomUUID();
  const target = secured(lab, item, request, targetOf(lab, item, request));
  const before = await statsOf(lab, request);
  const turns = Array.from({ length: request.times ?? 1 });
  let carried: Readonly<Record<string, string>> = {};
  const send = async (): Promise<Outcome> => {
    const outcome = await once(lab, { ...request, headers: { ...request.headers, ...carried } }, target, id);
    carried = { ...carried, ...carriedBy(request.carry, outcome) };
    return outcome;
  };
  const outcomes: Outcome[] = [];
  if (request.parallel === true) outcomes.push(...(await Promise.all(turns.map(send))));
  else for (const _ of turns) outcomes.push(await send());
  const problems = (): readonly string[] => judge(request.expect, outcomes, lab.received(id));
  if (request.expect.seen !== undefined)
    await waitFor(() => problems().length === 0, { what: "", timeoutMs: 2_000 }).catch(() => undefined);
  const after = await statsOf(lab, request);
  const counted = Object.entries(request.expect.stats ?? {}).flatMap(([name, least]) => {
    const grown = (after[name] ?? 0) - (before[name] ?? 0);
    return grown >= least ? [] : [`${name} grew by ${grown}, expected at least ${least}`];
  });
  return [...problems(), ...counted, ...(await logged(lab, request))];
}

function proxyOf(lab: Lab, { via, expect }: CaseRequest): Lab["proxies"][keyof Lab["proxies"]] {
  return lab.proxies[expect.at ?? (via === "gateway" || via === "walled" ? via : "client")];
}

/** What a proxy's output lacks, or has too much. Envoy writes its lines in bulk, up to ten seconds late. */
async function logged(lab: Lab, request: CaseRequest): Promise<readonly string[]> {
  const { log, noLog } = request.expect;
  const proxy = proxyOf(lab, request);
  const has = (pattern: string): boolean =>
    proxy
      .log()
      .split("\n")
      .some((line) => new RegExp(pattern).test(line));
  if (log !== undefined) {
    const seen = await waitFor(() => has(log), { what: log, timeoutMs: 15_000 }).then(
      () => true,
      () => false,
    );
    if (!seen) return [`no line of the proxy's output matches ${log}`];
  }
  return noLog !== undefined && has(noLog) ? [`a line of the proxy's output matches ${noLog}`] : [];
}

/** Headers that go from an answer into the next request. */
function carriedBy(carry: string | undefined, { answer }: Outcome): Readonly<Record<string, string>> {
  if (carry === undefined || answer === undefined) return {};
  const value = answer.headers[carry === "cookie" ? "set-cookie" : carry];
  if (value === undefined) return {};
  return { [carry]: carry === "cookie" ? (value.split(";")[0] ?? "") : value };
}

/** Sums of the sending proxy's counters, by the expectation's patterns. */
async function statsOf(lab: Lab, request: CaseRequest): Promise<Readonly<Record<string, number>>> {
  const names = Object.keys(request.expect.stats ?? {});
  const proxy = proxyOf(lab, request);
  const sums = names.map(async (name) => {
    const text = await proxy.admin(`/stats?filter=${encodeURIComponent(name)}`);
    const values = text.split("\n").map((line) => Number(/: (\d+)$/.exec(line)?.[1] ?? 0));
    return [name, values.reduce((sum, value) => sum + value, 0)] as const;
  });
  return Object.fromEntries(await Promise.all(sums));
}

async function once(lab: Lab, request: CaseRequest, target: Target, id: string): Promise<Outcome> {
  const headers = {
    ...request.headers,
    [ID_HEADER]: id,
    ...(request.do === undefined ? {} : { [DO_HEADER]: request.do }),
  };
  const token = request.token === undefined ? "" : await tokenOf(lab, request, request.token);
  const filled = (text: string): string => text.replaceAll("$TOKEN", token);
  const sent = { ...request, ...(request.path === undefined ? {} : { path: filled(request.path) }) };
  const started = performance.now();
  try {
    const answer = await ask(target, sent, mapped(headers, filled));
    const ms = performance.now() - started;
    const echoed = readEcho(answer.body);
    const from = echoed?.who ?? /^(?:hello from )?(v\d)\b/.exec(answer.body)?.[1] ?? "";
    return { answer, error: "", ms, from, request: echoed ?? lab.received(id).at(-1) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { answer: undefined, error: text, ms: performance.now() - started, from: "", request: undefined };
  }
}

export async function tokenOf(
  lab: Lab,
  request: CaseRequest,
  claims: NonNullable<CaseRequest["token"]>,
): Promise<string> {
  const { exp } = claims;
  const later = typeof exp === "number" ? { exp: Math.floor(Date.now() / 1_000) + exp } : {};
  const key = request.formerKey === true ? { key: "former" } : {};
  return lab.issuers[request.issuer ?? "main"].token({ ...claims, ...later, ...key });
}

function mapped(
  headers: Readonly<Record<string, string>>,
  change: (text: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, change(value)]));
}

function readEcho(body: string): Received | undefined {
  try {
    const value = JSON.parse(body) as Partial<Received> | null;
    return typeof value?.who === "string" ? (value as Received) : undefined;
  } catch {
    return undefined;
  }
}

function byHttp3({ http3 }: Lab, authority: string): Target {
  if (http3 === undefined) throw new Error("no client of HTTP/3 was started");
  return { host: http3.host, port: http3.port, authority };
}

/** A service by its own address, another host by the HTTP proxy, a gateway's host by the gateway. */
export function targetOf(lab: Lab, item: TrafficCase, request: CaseRequest): Target {
  const { via, to = "echo", port = 80, host } = request;
  const { places } = lab;
  if (request.protocol === "http3") return byHttp3(lab, host ?? to);
  if (request.dial !== undefined) return dialled(lab, request.dial, host ?? to);
  if (via === "gateway") return { host: `${places.gateway}.0.1`, port: explicitPort(port), authority: host ?? to };
  if (via === "plain") return { host: `${places.v1}.0.1`, port: PORTS.http, authority: host ?? to };
  const full = to.includes(".") ? to : `${to}.${item.namespace}.svc.cluster.local`;
  return throughSidecar(lab, { full, port, host });
}

function dialled({ places, sockets }: Lab, written: string, authority: string): Target {
  const text = written
    .replaceAll(/\$(walled|guard)\b/g, (_, name: "walled" | "guard") => `${places[name]}.0.1`)
    .replaceAll("$SOCKETS", sockets);
  if (text.startsWith("unix://")) return { host: "", port: 0, socketPath: text.slice("unix://".length), authority };
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)), authority };
}

/** With TLS of the client's own for a `secure` request. Who the server is is not checked by the client, but by the case. */
export function secured(lab: Lab, { namespace }: TrafficCase, { secure, sni }: CaseRequest, target: Target): Target {
  if (secure === undefined) return target;
  const { cert, version, ciphers, sigalgs, alpn } = secure === true ? {} : secure;
  const pair = cert === undefined ? undefined : lab.certificate(namespace, cert);
  if (cert !== undefined && pair === undefined) throw new Error(`no certificate "${cert}" in the case`);
  const tls: ConnectionOptions = compact({
    servername: sni ?? target.authority,
    rejectUnauthorized: false,
    cert: pair?.cert,
    key: pair?.key,
    minVersion: version,
    maxVersion: version,
    ciphers,
    sigalgs,
    ALPNProtocols: alpn === undefined ? undefined : [...alpn],
  });
  return { ...target, tls };
}

function throughSidecar(
  lab: Lab,
  { full, port, host }: { readonly full: string; readonly port: number; readonly host: string | undefined },
): Target {
  const address = addressOf(lab, full);
  if (address !== undefined) return { host: address, port: explicitPort(port), authority: host ?? full };
  return { ...httpProxy(lab.places), authority: host ?? (port === 80 ? full : `${full}:${port}`) };
}

function addressOf(lab: Lab, host: string): string | undefined {
  const service = parseServiceHost(host);
  return service === undefined ? undefined : lab.address(service.namespace, service.name);
}
