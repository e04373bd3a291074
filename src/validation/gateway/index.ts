import type { FieldPath } from "../../diagnostics/finding.ts";
import type { GatewayServer, GatewaySpec } from "../../gen/schema-types.ts";
import type { Report, Rules } from "../rule.ts";
import { checkBind, isAddress, isUnix } from "../shared/addresses.ts";
import { isLabel, isPartialWildcard, nameProblem } from "../shared/hosts.ts";
import { isProtocol } from "../shared/protocols.ts";
import { checkUnique } from "../shared/values.ts";
import { serverTlsRules } from "./tls.ts";

const SERVED = "HTTP, HTTP2, HTTPS, GRPC, GRPC-WEB, TLS, TCP, MONGO, MYSQL, REDIS";

/** Rules of Gateway. */
export const gatewayRules: Rules<GatewaySpec> = [
  {
    name: "gateway-name",
    holds: "The object's name is a DNS label: VirtualServices and listeners are named after it.",
    severity: "error",
    check: (_spec, _report, { object, metadata }) => {
      const { name } = object.metadata;
      if (!isLabel(name))
        metadata(
          ["name"],
          `"${name}" is no name for a Gateway: no dots, at most 63 characters`,
          "Use letters, digits and -.",
        );
    },
  },
  {
    name: "gateway-has-servers",
    holds: "There is at least one server.",
    severity: "error",
    check: ({ servers }, report) => {
      if ((servers?.length ?? 0) === 0)
        report(["servers"], "expected at least one server", "Add a port with its hosts.");
    },
  },
  {
    name: "gateway-protocol",
    holds: "The protocol of a port is one that gateways speak.",
    severity: "error",
    check: ({ servers = [] }, report) => {
      for (const [index, { port }] of servers.entries())
        if (!isProtocol(port.protocol))
          report(["servers", index, "port", "protocol"], `expected one of ${SERVED}, got "${port.protocol}"`);
    },
  },
  {
    name: "gateway-port-name",
    holds: "A port has a name.",
    severity: "error",
    check: ({ servers = [] }, report) => {
      for (const [index, { port }] of servers.entries())
        if (port.name === "")
          report(["servers", index, "port", "name"], "the name is empty", "Write a name, e.g. http.");
    },
  },
  {
    name: "gateway-target-port",
    holds: "A port has no targetPort: the Service of the gateway says it.",
    severity: "error",
    check: ({ servers = [] }, report) => {
      for (const [index, { port }] of servers.entries())
        if ((port.targetPort ?? 0) > 0)
          report(["servers", index, "port", "targetPort"], "targetPort has no effect in a Gateway", "Remove it.");
    },
  },
  {
    name: "gateway-bind",
    holds: "bind is an IP address or the path of a socket; a socket has port number 0, everything else a port.",
    severity: "error",
    check: ({ servers = [] }, report) => {
      for (const [index, server] of servers.entries()) checkServerBind(server, ["servers", index], report);
    },
  },
  {
    name: "gateway-hosts",
    holds: "A server has hosts; each is a full DNS name or wildcard, a namespace in front allowed.",
    severity: "error",
    check: ({ servers = [] }, report) => {
      for (const [index, server] of servers.entries()) checkHosts(server, ["servers", index, "hosts"], report);
    },
  },
  {
    name: "gateway-names-unique",
    holds: "Names of ports are unique.",
    severity: "error",
    check: ({ servers = [] }, report) => {
      const hint = "Give it another name.";
      checkUnique(
        servers,
        (server) => server.port.name,
        (index, name, first) =>
          report(["servers", index, "port", "name"], `port name ${name} is already used by servers[${first}]`, hint),
      );
    },
  },
  {
    name: "gateway-server-names",
    holds: "Names of servers are unique: statistics are told apart by them.",
    severity: "warning",
    check: ({ servers = [] }, report) =>
      checkUnique(
        servers,
        (server) => (server.name === "" ? undefined : server.name),
        (index, name, first) =>
          report(
            ["servers", index, "name"],
            `server name ${name} is already used by servers[${first}]`,
            "Give it another name.",
          ),
      ),
  },
  ...serverTlsRules,
];

function checkServerBind({ port, bind = "" }: GatewayServer, path: FieldPath, report: Report): void {
  checkBind(bind, [...path, "bind"], report);
  const number = port.number ?? 0;
  if (isUnix(bind) && number !== 0)
    report([...path, "port", "number"], `a socket has no port, got ${number}`, "Write 0.");
  if (!isUnix(bind) && (number < 1 || number > 65535))
    report([...path, "port", "number"], `expected a port from 1 to 65535, got ${number}`);
}

function checkHosts(server: GatewayServer, path: FieldPath, report: Report): void {
  if (server.hosts.length === 0) report(path, "expected at least one host", "Add a host, or *.");
  for (const [position, host] of server.hosts.entries()) {
    const problem = hostProblem(host);
    if (problem !== undefined)
      report([...path, position], `"${host}" is no host: ${problem}`, "Write a DNS name or wildcard.");
  }
}

function hostProblem(host: string): string | undefined {
  const slash = host.indexOf("/");
  const namespace = slash === -1 ? "*" : host.slice(0, slash);
  const name = host.slice(slash + 1);
  if (namespace !== "*" && namespace !== "." && !isLabel(namespace)) return `"${namespace}" is no namespace`;
  if (isAddress(name)) return undefined;
  const problem = nameProblem(name, "wildcard");
  if (problem !== undefined) return problem;
  if (name !== "*" && !name.includes(".")) return "a name without dots means nothing to clients outside";
  return isPartialWildcard(name) ? "a wildcard stands for whole labels" : undefined;
}
