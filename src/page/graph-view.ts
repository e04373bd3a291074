import { h, type ComponentChild } from "preact";
import type { Mesh, Observed, ObservedEdge } from "./data.ts";
import { laidOut, NODE_HEIGHT } from "./layout.ts";
import { answered, badge, dataTable, note } from "./parts.ts";

/** Who calls whom, as a picture and, for those who read it otherwise, as a table; without observations the services. */
export function graphView({ observed, services }: Mesh): ComponentChild {
  if ("error" in observed)
    return h("div", {}, [
      note(
        observed.status === 404
          ? "Who calls whom is known to proxies, which the control plane does not ask. Open this page with meshctl dashboard mesh to see it."
          : `Proxies could not be asked: ${observed.error}`,
      ),
      answered(services, (all) =>
        dataTable(
          "Services",
          ["Service", "Namespace", "Ports"],
          all.map((one) => ({
            key: one.hostname,
            cells: [
              one.hostname,
              one.Attributes.Namespace,
              one.ports.map(({ port, protocol }) => `${port} ${protocol}`).join(", "),
            ],
          })),
        ),
      ),
    ]);
  const { data } = observed;
  if (data.edges.length === 0) return note("No proxy has counted a request or a connection yet.");
  return h("div", {}, [picture(data), h("h2", {}, "Calls"), callsTable(data)]);
}

function picture(data: Observed): ComponentChild {
  const laid = laidOut(data);
  const names = new Map(data.nodes.map((node) => [node.id, node]));
  const edges = laid.edges.map(({ index, points }) => {
    const edge = data.edges[index];
    const line = points.map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
    return h("g", { key: `e${index}`, class: `edge ${tone(edge)}` }, [
      h("path", { d: line, "marker-end": "url(#arrow)" }),
      h("title", {}, edge === undefined ? "" : edgeText(edge)),
    ]);
  });
  const nodes = laid.nodes.map(({ id, x, y, width }) => {
    const node = names.get(id);
    return h("g", { key: id, class: "node", transform: `translate(${x - width / 2},${y - NODE_HEIGHT / 2})` }, [
      h("rect", { width, height: NODE_HEIGHT, rx: 8 }),
      h("text", { x: width / 2, y: 19 }, node?.name ?? id),
      h("text", { x: width / 2, y: 35, class: "where" }, node?.namespace ?? ""),
    ]);
  });
  const size = { width: laid.width, height: laid.height, viewBox: `0 0 ${laid.width} ${laid.height}` };
  return h("figure", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Picture of who calls whom" }, [
    h(
      "svg",
      {
        ...size,
        role: "img",
        "aria-label": `${data.nodes.length} workloads, ${data.edges.length} kinds of calls; the table below says the same`,
      },
      [
        h(
          "defs",
          {},
          h(
            "marker",
            { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
            h("path", { d: "M0,0 L8,4 L0,8 z" }),
          ),
        ),
        ...edges,
        ...nodes,
      ],
    ),
    h("figcaption", {}, [
      h("span", { class: "key secured" }, "mutual TLS"),
      h("span", { class: "key plain" }, "plain text"),
      h("span", { class: "key failing" }, "failures"),
    ]),
  ]);
}

function tone(edge: ObservedEdge | undefined): string {
  if ((edge?.success ?? 1) < 0.99) return "failing";
  return edge?.security === "none" ? "plain" : "secured";
}

function edgeText(edge: ObservedEdge): string {
  return `${edge.from} to ${edge.to} by ${edge.service}: ${rateText(edge)}`;
}

function rateText({ rps, requests = 0, protocol }: ObservedEdge): string {
  if (protocol === "tcp") return "TCP";
  return rps === undefined ? `${requests} requests` : `${rps.toFixed(1)} requests/s`;
}

const SECURED: Readonly<Record<string, ComponentChild>> = {
  mutual_tls: badge("mTLS", "good"),
  none: badge("plain text", "warn"),
};

function callsTable({ edges }: Observed): ComponentChild {
  const rows = edges.map((edge) => ({
    key: `${edge.from} ${edge.to} ${edge.service} ${edge.protocol ?? ""}`,
    cells: [
      edge.from,
      edge.to,
      edge.service.replace(/\.svc\.cluster\.local$/, ""),
      SECURED[edge.security ?? ""] ?? "-",
      rateText(edge),
      edge.success === undefined
        ? "-"
        : badge(`${(edge.success * 100).toFixed(2)}%`, edge.success < 0.99 ? "bad" : "good"),
      edge.p99 === undefined ? "-" : `${Math.round(edge.p99)} ms`,
    ],
  }));
  return dataTable("Calls", ["From", "To", "Service", "Secured", "Rate", "Success", "p99"], rows);
}
