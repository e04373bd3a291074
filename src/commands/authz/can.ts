import { UsageError } from "../../base/errors.ts";
import type { ProxyConfig } from "../../ir/config.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { Condition } from "../../ir/security.ts";
import type { Model } from "../../model/model.ts";
import { table } from "../../report/table.ts";
import { globalOptions, listOption, textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { type OfflineMesh, readMesh, tellStandIns } from "../offline/mesh.ts";
import { principalOf, proxiesOf, proxyNamed, shortName } from "../offline/proxies.ts";
import type { AskedCall } from "./asked.ts";
import { type Decision, judgeOf } from "./decide.ts";
import { print } from "../print.ts";
import { rulesOf } from "./rules.ts";

/** One caller and one operation. */
export interface Permission {
  readonly port: number;
  /** Absent with `path`: a connection that is no HTTP. */
  readonly method?: string;
  readonly path?: string;
  /** Identity without `spiffe://`; absent: a caller without one. */
  readonly principal?: string;
  readonly decision: Decision["decision"];
  readonly status?: number;
  /** The policy whose rule decided; absent: none did. */
  readonly policy?: string;
}

export interface CanResult extends CommandResult {
  readonly permissions: readonly Permission[];
}

/**
 * `meshctl auth can WORKLOAD`: for each operation that policies name (and GET /), which callers of the mesh may do it: every
 * account that a proxy runs as, and plain text. Exit code 1 when --from names one caller that may not do something.
 */
export async function run(input: CommandInput, io: Io): Promise<CanResult> {
  const { namespace } = globalOptions(input);
  const mesh = await readMesh(input, io);
  const { model } = mesh.mesh;
  const server = proxyNamed(model, input.args[0] ?? "", namespace);
  const from = textOption(input, "from");
  const client = from === undefined ? undefined : proxyNamed(model, from, namespace);
  tellStandIns(mesh, [server, ...(client === undefined ? [] : [client])], io);
  const callers = client === undefined ? callersOf(model) : [callerOf(model, client)];
  const config = mesh.mesh.proxyConfig(server);
  const permissions = permitted(mesh, server, {
    callers,
    operations: operationsOf(input, config),
    ports: portsOf(input, config),
    host: textOption(input, "host") ?? "",
    now: io.now().getTime() / 1_000,
  });
  print(input, io, { data: permissions, text: textOf(permissions, `${shortName(server)}.${server.namespace}`) });
  const isRefused = permissions.some(({ decision }) => decision === "deny" || decision === "reset");
  return { exitCode: client !== undefined && isRefused ? 1 : 0, permissions };
}

/** What every account of the mesh may do at a workload: each operation that its policies name, and GET /; nothing where no Service leads to it. */
export function permissionsAt(mesh: OfflineMesh, server: Proxy, now: Date): readonly Permission[] {
  const config = mesh.mesh.proxyConfig(server);
  const input: CommandInput = { args: [], options: {} };
  if ((config.inbound()?.ports ?? []).length + config.gatewayListeners().length === 0) return [];
  return permitted(mesh, server, {
    callers: callersOf(mesh.mesh.model),
    operations: operationsOf(input, config),
    ports: portsOf(input, config),
    host: "",
    now: now.getTime() / 1_000,
  });
}

interface Caller {
  readonly principal: string | undefined;
  readonly address: string;
}

interface Operation {
  readonly method: string;
  readonly path: string;
}

interface Asked {
  readonly callers: readonly Caller[];
  readonly operations: readonly Operation[];
  readonly ports: readonly number[];
  readonly host: string;
  readonly now: number;
}

/** Of a port that speaks no HTTP: there is a connection or there is none. */
const CONNECT: Operation = { method: "CONNECT", path: "/" };

function isBytes(config: ProxyConfig, port: number): boolean {
  return config.inbound()?.ports.find(({ targetPort }) => targetPort === port)?.protocol === "tcp";
}

function permitted(mesh: OfflineMesh, server: Proxy, { callers, operations, ports, host, now }: Asked): Permission[] {
  const config = mesh.mesh.proxyConfig(server);
  const judge = judgeOf(mesh, server);
  return ports.flatMap((port) =>
    (isBytes(config, port) ? [CONNECT] : operations).flatMap(({ method, path }) =>
      callers.map(({ principal, address }): Permission => {
        const request: AskedCall["request"] = { method, scheme: "http", authority: host, path, headers: [] };
        const ends = { sourceIp: address, remoteIp: address };
        const { decision, status, reasons } = judge({ port, principal, ...ends, request, claims: undefined, now });
        const policy = reasons.filter(({ dryRun }) => dryRun !== true).at(-1)?.policy;
        return {
          port,
          ...(method === CONNECT.method ? {} : { method, path }),
          ...(principal === undefined ? {} : { principal }),
          decision,
          ...(status === undefined ? {} : { status }),
          ...(policy === undefined ? {} : { policy }),
        };
      }),
    ),
  );
}

/** Accounts that proxies run as, each once, and one without an identity. */
function callersOf(model: Model): readonly Caller[] {
  const byIdentity = new Map(proxiesOf(model).map((proxy) => [principalOf(model, proxy), callerOf(model, proxy)]));
  const sorted = [...byIdentity.values()].toSorted((a, b) => ((a.principal ?? "") < (b.principal ?? "") ? -1 : 1));
  return [...sorted, { principal: undefined, address: SOMEWHERE }];
}

/** An address that no policy means by accident (RFC 5737). */
const SOMEWHERE = "192.0.2.1";

function callerOf(model: Model, proxy: Proxy): Caller {
  return { principal: principalOf(model, proxy), address: proxy.addresses[0] ?? SOMEWHERE };
}

function portsOf(input: CommandInput, config: ProxyConfig): readonly number[] {
  const wanted = listOption(input, "port").map(Number);
  if (wanted.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535))
    throw new UsageError(`expected --port from 1 to 65535, got "${listOption(input, "port").join(", ")}"`);
  if (wanted.length > 0) return wanted;
  const inbound = (config.inbound()?.ports ?? []).map(({ targetPort }) => targetPort);
  const own = inbound.length > 0 ? inbound : config.gatewayListeners().map(({ port }) => port);
  if (own.length === 0) throw new UsageError("no Service leads to the workload", "Name a port of it with --port.");
  return [...new Set(own)].toSorted((a, b) => a - b);
}

/** What the flags name, else what rules of the workload's policies name, and GET /. */
function operationsOf(input: CommandInput, config: ProxyConfig): readonly Operation[] {
  const [methods, paths] = [listOption(input, "method"), listOption(input, "path")];
  const bad = paths.find((path) => !path.startsWith("/"));
  if (bad !== undefined) throw new UsageError(`expected --path to start with /, got "${bad}"`);
  if (methods.length > 0 || paths.length > 0)
    return product(
      methods.length > 0 ? methods.map((method) => method.toUpperCase()) : ["GET"],
      paths.length > 0 ? paths : ["/"],
    );
  const named = rulesOf(config).flatMap(({ rule }) =>
    rule.to.flatMap((part) => product(valuesOf(part, "request.method", "GET"), valuesOf(part, "request.path", "/"))),
  );
  const all = [{ method: "GET", path: "/" }, ...named];
  return [...new Map(all.map((one) => [`${one.path} ${one.method}`, one])).values()];
}

function product(methods: readonly string[], paths: readonly string[]): readonly Operation[] {
  return methods.flatMap((method) => paths.map((path) => ({ method, path })));
}

/** Values that a part names for an attribute, each pattern by a text that it matches; `fallback` when it names none. */
function valuesOf(part: readonly Condition[], attribute: string, fallback: string): readonly string[] {
  const values = part.filter((one) => one.attribute === attribute).flatMap((one) => [...one.values, ...one.notValues]);
  const shown = values.map((value) => sample(value, attribute)).filter((value) => value !== "");
  return shown.length === 0 ? [fallback] : shown;
}

const ANY = "any";

function sample(value: string, attribute: string): string {
  if (attribute === "request.method") return value.includes("*") ? "" : value;
  if (value === "*") return "";
  const text = value.replaceAll("{**}", ANY).replaceAll("{*}", ANY);
  if (text.endsWith("*")) return text.endsWith("/*") ? text.slice(0, -1) + ANY : text.slice(0, -1);
  return text.startsWith("*") ? `/${ANY}${text.slice(1)}` : text;
}

function textOf(permissions: readonly Permission[], to: string): string {
  const operations = new Map<string, Permission[]>();
  for (const one of permissions) {
    const key = `${one.port} ${operationText(one)}`;
    operations.set(key, [...(operations.get(key) ?? []), one]);
  }
  const named = (list: readonly Permission[], ...decisions: readonly Decision["decision"][]): string =>
    list
      .filter(({ decision }) => decisions.includes(decision))
      .map(({ principal }) => shortPrincipal(principal))
      .join(", ") || "-";
  const rows = [...operations.values()].map((list) => {
    const [first] = list;
    return [
      String(first?.port),
      operationText(first),
      named(list, "allow"),
      named(list, "deny", "reset"),
      named(list, "ask"),
    ];
  });
  const asks = permissions.some(({ decision }) => decision === "ask");
  const columns = ["PORT", "OPERATION", "MAY", "MAY NOT", ...(asks ? ["IF THE AUTHORIZER SAYS SO"] : [])];
  return `Callers of ${to}\n${table(
    columns,
    rows.map((row) => row.slice(0, columns.length)),
  )}`;
}

function operationText({ method, path }: Pick<Permission, "method" | "path"> = {}): string {
  return method === undefined ? "connection" : `${method} ${path ?? ""}`;
}

/** `shop/web`, as accounts are called; the trust domain is that of the mesh. */
function shortPrincipal(principal: string | undefined): string {
  const [, , namespace = "", , account = ""] = principal?.split("/") ?? [];
  return principal === undefined ? "plain text" : `${namespace}/${account}`;
}
