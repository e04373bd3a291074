import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { errorText } from "../../base/errors.ts";
import type { Container, HttpGetAction, Probe } from "../shapes.ts";
import { grpcHealth } from "./grpc-health.ts";
import { dialTcp } from "./network/dial.ts";

/** What probes and hooks need of the container they ask. */
export interface ProbeTarget {
  readonly podIp: string;
  readonly realPort: (port: number) => number;
  readonly ports: Container["ports"];
  /** Runs a command in the container; resolves to its exit code. */
  readonly exec: (command: readonly string[], timeoutMs: number) => Promise<number>;
}

/** Asks once. Undefined when it went well, else what was wrong. Never rejects. */
export async function probeOnce(probe: Probe, target: ProbeTarget): Promise<string | undefined> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  try {
    if (probe.httpGet !== undefined) return await httpGet(probe.httpGet, target, timeoutMs);
    if (probe.tcpSocket !== undefined) return await tcpOpen(probe.tcpSocket, target, timeoutMs);
    if (probe.grpc !== undefined) {
      const port = target.realPort(probe.grpc.port);
      const serving = await grpcHealth(target.podIp, port, probe.grpc.service ?? "", timeoutMs);
      return serving ? undefined : "service unhealthy";
    }
    const code = await target.exec(probe.exec?.command ?? [], timeoutMs);
    return code === 0 ? undefined : `command ended with ${code}`;
  } catch (error) {
    return errorText(error);
  }
}

/** The number of a port given by number or by the name of a container port; mapped as the node maps ports. */
function portNumber(port: number | string, { ports, realPort }: ProbeTarget): number {
  const named = ports?.find((entry) => entry.name === port)?.containerPort;
  const value = named ?? Number(port);
  if (!Number.isInteger(value)) throw new Error(`no container port is named ${port}`);
  return realPort(value);
}

async function tcpOpen(
  { port, host }: NonNullable<Probe["tcpSocket"]>,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<undefined> {
  const opening = dialTcp(host ?? target.podIp, portNumber(port, target));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error("timeout"));
    }, timeoutMs);
  });
  try {
    (await Promise.race([opening, late])).destroy();
  } catch (error) {
    void opening.then((socket) => socket.destroy()).catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** 200 to 399 is well; certificates are not checked, as the kubelet does not. */
export function httpGet(action: HttpGetAction, target: ProbeTarget, timeoutMs: number): Promise<string | undefined> {
  const secure = action.scheme?.toUpperCase() === "HTTPS";
  const headers: Record<string, string> = { "user-agent": "kube-probe/meshctl", accept: "*/*" };
  for (const { name, value } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  const options = {
    host: action.host ?? target.podIp,
    port: portNumber(action.port, target),
    path: action.path ?? "/",
    headers,
    agent: false,
    timeout: timeoutMs,
    rejectUnauthorized: false,
  } as const;
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(options, (response) => {
      const code = response.statusCode ?? 0;
      response.destroy();
      resolve(code >= 200 && code < 400 ? undefined : `HTTP probe failed with statuscode: ${code}`);
    });
    request.once("timeout", () => request.destroy(new Error("timeout")));
    request.once("error", reject);
    request.end();
  });
}
