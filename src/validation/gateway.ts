import type { GatewayServer, ServerTls } from "../gen/schema-types.ts";
import type { Report, Rules } from "./rule.ts";
import { checkUnique, hostProblem, isAddress, PROTOCOLS, setFields } from "./values.ts";

/** Rules of Gateway. */
export const gatewayRules: Rules<"Gateway"> = [
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
        if (!PROTOCOLS.has(port.protocol.toUpperCase()))
          report(
            ["servers", index, "port", "protocol"],
            `expected one of ${[...PROTOCOLS].join(", ")}, got "${port.protocol}"`,
          );
    },
  },
  {
    name: "gateway-hosts",
    holds: "A server has hosts; each is a DNS name or wildcard, a namespace in front allowed.",
    severity: "error",
    check: ({ servers = [] }, report) => {
      for (const [index, server] of servers.entries()) checkHosts(server, index, report);
    },
  },
  {
    name: "gateway-names-unique",
    holds: "Names of servers and ports are unique.",
    severity: "error",
    check: ({ servers = [] }, report) => {
      const hint = "Give it another name.";
      checkUnique(
        servers,
        (server) => server.port.name,
        (index, name, first) =>
          report(["servers", index, "port", "name"], `port name ${name} is already used by servers[${first}]`, hint),
      );
      checkUnique(
        servers,
        (server) => (server.name === "" ? undefined : server.name),
        (index, name, first) =>
          report(["servers", index, "name"], `server name ${name} is already used by servers[${first}]`, hint),
      );
    },
  },
  {
    name: "gateway-tls",
    holds: "HTTPS and TLS ports have TLS settings with a certificate; plaintext ports have none.",
    severity: "error",
    check: ({ servers = [] }, report) => {
      for (const [index, server] of servers.entries()) checkServerTls(server, index, report);
    },
  },
];

function checkHosts(server: GatewayServer, index: number, report: Report): void {
  if (server.hosts.length === 0) report(["servers", index, "hosts"], "expected at least one host", "Add a host, or *.");
  for (const [position, host] of server.hosts.entries()) {
    const name = host.includes("/") ? host.slice(host.indexOf("/") + 1) : host;
    const problem = isAddress(name) ? undefined : hostProblem(name);
    if (problem !== undefined)
      report(
        ["servers", index, "hosts", position],
        `"${host}" is no host: ${problem}`,
        "Write a DNS name or wildcard.",
      );
  }
}

function checkServerTls({ port, tls }: GatewayServer, index: number, report: Report): void {
  const path = ["servers", index];
  const encrypted = ["HTTPS", "TLS"].includes(port.protocol.toUpperCase());
  if (encrypted && tls === undefined)
    return report(
      path,
      `port ${port.number} has protocol ${port.protocol}, but no tls`,
      "Add tls with mode and credentialName.",
    );
  if (tls === undefined) return;
  if (!encrypted && (tls.mode !== undefined || tls.credentialName !== undefined))
    return report(
      [...path, "tls"],
      `protocol ${port.protocol} is plaintext: of tls only httpsRedirect has a meaning`,
      "Use protocol HTTPS or TLS.",
    );
  if (encrypted && tls.httpsRedirect === true)
    report([...path, "tls", "httpsRedirect"], "httpsRedirect is for plaintext ports", "Put it on the HTTP port.");
  if (encrypted) checkCertificate(tls, [...path, "tls"], report);
}

function checkCertificate(tls: ServerTls, path: (string | number)[], report: Report): void {
  const mode = tls.mode ?? "PASSTHROUGH";
  if (!["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"].includes(mode)) return;
  const named = setFields(tls, ["credentialName", "credentialNames", "tlsCertificates"]);
  const files = setFields(tls, ["serverCertificate", "privateKey"]);
  if (named.length > 1) report(path, `${named.join(" and ")} exclude each other`, "Keep one of them.");
  if (named.length === 0 && files.length < 2)
    report(
      path,
      `mode ${mode} needs a certificate: credentialName, or serverCertificate and privateKey`,
      "Add credentialName.",
    );
  if (mode === "MUTUAL" && named.length === 0 && tls.caCertificates === undefined)
    report(path, "mode MUTUAL needs caCertificates to check client certificates", "Add caCertificates.");
}
