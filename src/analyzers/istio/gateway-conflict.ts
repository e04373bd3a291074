import { gatewayOverlap } from "../../model/gateway-overlap.ts";
import type { Gateway } from "../../model/gateways.ts";
import { defineAnalyzer } from "../analyzer.ts";
import { labelsText, listText, nameOf } from "./shared-names.ts";

/**
 * Servers of different Gateways meet when the same pods serve them on one port and address, by the same protocol, for the same
 * host and for VirtualServices of the same namespaces. What cannot meet is no conflict: `team-a/*` and `team-b/*`, other ports,
 * another bind, plain HTTP beside TLS, pods of their own.
 */
export const gatewayConflict = defineAnalyzer({
  name: "gateway-conflict",
  summary: "Finds Gateways that define the same host on the same port of the same pods.",
  reads: ["Gateway", "Pod"],
  codes: ["IST0145"],
  analyze: ({ world, model, report }) => {
    const sharePods = gatewayOverlap(model.workloads);
    const meeting = new Map<string, ServerHost[]>();
    for (const object of world.list("Gateway"))
      for (const server of serverHosts(object)) {
        const listed = meeting.get(server.place);
        if (listed === undefined) meeting.set(server.place, [server]);
        else listed.push(server);
      }
    for (const servers of meeting.values())
      for (const server of servers.length > 1 ? servers : []) {
        const others = servers.filter((other) => meets(server, other) && sharePods(server.object, other.object));
        const [other] = others;
        if (other === undefined) continue;
        const gateways = listText([...new Set(others.map(({ object }) => nameOf(object)))].toSorted(), ",");
        const selector = labelsText(server.object.spec?.selector ?? {});
        const related = { object: other.object, path: other.path, words: "the same host on the same port" };
        const { port, written } = server;
        report(server.object, server.path, "IST0145", { gateways, selector, port, hosts: written }, related);
      }
  },
});

interface ServerHost {
  readonly object: Gateway;
  readonly path: readonly (string | number)[];
  /** What two have to share to meet: port, address, protocol, host. */
  readonly place: string;
  /** Namespaces whose VirtualServices it takes; `*` all. */
  readonly namespace: string;
  readonly port: number;
  readonly written: string;
}

function serverHosts(object: Gateway): readonly ServerHost[] {
  return (object.spec?.servers ?? []).flatMap(({ port, bind = "", hosts, tls }, index) =>
    hosts.map((written, position) => {
      const slash = written.indexOf("/");
      const from = slash < 0 ? "*" : written.slice(0, slash);
      const isTls = tls !== undefined && tls.httpsRedirect !== true;
      return {
        object,
        path: ["spec", "servers", index, "hosts", position],
        place: [port.number, bind, isTls ? "TLS" : port.protocol.toUpperCase(), written.slice(slash + 1)].join(" "),
        namespace: from === "." ? (object.metadata.namespace ?? "") : from,
        port: port.number,
        written,
      };
    }),
  );
}

function meets(a: ServerHost, b: ServerHost): boolean {
  return a.object !== b.object && (a.namespace === "*" || b.namespace === "*" || a.namespace === b.namespace);
}
