import { request as httpRequest } from "node:http";
import { ask, type Target } from "../traffic/ask.ts";
import { DO_HEADER } from "../traffic/backend.ts";
import type { CaseRequest } from "../traffic/case.ts";
import { httpProxy, type Lab } from "../traffic/lab.ts";
import { secured, targetOf, tokenOf } from "../traffic/run.ts";
import type { WhyCase } from "./case.ts";

const HTTP_PROXY_PORT = 15_080;

/** Sends the request of a case as often as it says; what comes back does not matter, failures are what is wanted. */
export async function sendRequest(lab: Lab, item: WhyCase): Promise<void> {
  const { times = 1, parallel = false } = item.request;
  const turns = Array.from({ length: times });
  const one = async (): Promise<void> => {
    await once(lab, item).catch(() => undefined);
  };
  if (parallel) await Promise.all(turns.map(one));
  else for (const _ of turns) await one();
}

async function once(lab: Lab, item: WhyCase): Promise<unknown> {
  const request: CaseRequest = { ...item.request, it: item.name, expect: {} };
  const target = secured(lab, item.traffic, request, placeOf(lab, item, request));
  const token = request.token === undefined ? "" : await tokenOf(lab, request, request.token);
  const given = Object.entries(request.headers ?? {}).map(
    ([name, value]) => [name, value.replaceAll("$TOKEN", token)] as const,
  );
  const { bigHeader, hangUpAfter } = item.request;
  const headers: Record<string, string> = {
    ...Object.fromEntries(given),
    ...(request.do === undefined ? {} : { [DO_HEADER]: request.do }),
    ...(bigHeader === undefined ? {} : { "x-big": "b".repeat(bigHeader) }),
  };
  return hangUpAfter === undefined ? ask(target, request, headers) : hangUp(target, request, headers, hangUpAfter);
}

function placeOf(lab: Lab, { unseen, traffic }: WhyCase, request: CaseRequest): Target {
  const { to = "echo" } = request;
  const full = to.includes(".") ? to : `${to}.${traffic.namespace}.svc.cluster.local`;
  if (request.via === "walled") return { host: `${lab.places.walled}.0.1`, port: HTTP_PROXY_PORT, authority: full };
  if (unseen) return { ...httpProxy(lab.places), authority: full };
  return targetOf(lab, traffic, request);
}

/** A client that does not wait. */
function hangUp(
  { host, port, authority }: Target,
  { path = "/", method = "GET" }: CaseRequest,
  headers: Readonly<Record<string, string>>,
  afterMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const sent = httpRequest({ host, port, path, method, agent: false, headers: { ...headers, host: authority } });
    sent.on("error", () => resolve());
    sent.setTimeout(afterMs, () => sent.destroy());
    sent.on("close", () => resolve());
    sent.end();
  });
}
