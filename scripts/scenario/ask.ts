import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import type { KubeObject } from "../../src/resources/object.ts";
import { must, type Scenario } from "./context.ts";

/** Counts of what came back, as the sample client tells them (samples/app/tally.mjs). */
export interface Tally {
  readonly requests: number;
  readonly status: Readonly<Record<string, number>>;
  readonly version: Readonly<Record<string, number>>;
  readonly error: Readonly<Record<string, number>>;
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** An HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** GET over a stream that is already connected, such as a port-forward. */
export function getOver(stream: Duplex, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      path,
      headers: { host: "localhost", connection: "close", ...headers },
      createConnection: () => stream,
    };
    const call = request(options, (response) => void collect(response).then(resolve, reject));
    call.on("error", reject);
    call.end();
  });
}

/** GET to an address. */
export function getAt(
  host: string,
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host, port, path, headers, timeout: 5000 },
      (response) => void collect(response).then(resolve, reject),
    );
    call.on("timeout", () => call.destroy(new Error(`no answer from ${host}:${port} within 5 s`)));
    call.on("error", reject);
    call.end();
  });
}

async function collect(response: IncomingMessage): Promise<Answer> {
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += String(chunk);
  return { status: response.statusCode ?? 0, body };
}

/** The running pods with a label `app`. */
export async function podsOf(scenario: Scenario, namespace: string, app: string): Promise<readonly KubeObject[]> {
  const pods = await scenario.cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    { namespace, labelSelector: `app=${app}` },
  );
  return pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
}

/** The first pod of an application; it must exist. */
export async function podOf(scenario: Scenario, namespace: string, app: string): Promise<KubeObject> {
  const [pod] = await podsOf(scenario, namespace, app);
  must(pod !== undefined, `no pod of ${app} in ${namespace}`);
  return pod;
}

/** The pod's address. */
export function podIp(pod: KubeObject): string {
  return (pod.status as { podIP?: string } | undefined)?.podIP ?? "";
}

/** Has the sample client in a namespace send requests to a URL, from inside its pod, and returns what it counted. */
export async function load(
  scenario: Scenario,
  from: { readonly namespace: string; readonly app: string },
  query: Readonly<Record<string, string | number>>,
): Promise<Tally> {
  const pod = await podOf(scenario, from.namespace, from.app);
  const stream = await scenario.cluster.portForward({ namespace: from.namespace, pod: pod.metadata.name, port: 8080 });
  const words = new URLSearchParams(
    Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]),
  );
  const answer = await getOver(stream, `/${query["to"] === undefined ? "run" : "tcp"}?${words.toString()}`);
  must(answer.status === 200, `the client answered ${answer.status}: ${answer.body}`);
  return JSON.parse(answer.body) as Tally;
}

/** Prometheus lines of a pod's Envoy that begin with `metric` and contain every one of `parts`. */
export async function metrics(
  scenario: Scenario,
  pod: { readonly namespace: string; readonly name: string },
  metric: string,
  parts: readonly string[],
): Promise<readonly string[]> {
  const stream = await scenario.cluster.portForward({ namespace: pod.namespace, pod: pod.name, port: 15090 });
  const { body } = await getOver(stream, "/stats/prometheus");
  return body.split("\n").filter((line) => line.startsWith(metric) && parts.every((part) => line.includes(part)));
}
