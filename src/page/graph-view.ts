import { h, type ComponentChild } from "preact";
import type { Mesh, Observed, ObservedEdge } from "./data.ts";
import { type Drawn, type DrawnEdge, drawn, laidOut, NODE_HEIGHT } from "./layout.ts";
import { answered, badge, dataTable, longTable, note, steps } from "./parts.ts";

/** Who calls whom, as a picture and, for those who read it otherwise, as a table; without observations the services. `only`: a namespace. */
export function graphView({ observed, services, proxies }: Mesh, _now: number, only: string): ComponentChild {
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
  if (data.edges.length === 0) return nothingYet("data" in proxies && proxies.data.length === 0);
  const namespaces = [...new Set(data.nodes.map(({ id, namespace = id }) => namespace))].toSorted((a, b) =>
    a.localeCompare(b, "en", { numeric: true }),
  );
  const shown = drawn(data, namespaces.includes(only) ? only : "");
  return h("div", {}, [
    namespaces.length > 1 ? choice(namespaces, only) : undefined,
    picture(shown),
    h("h2", {}, "Calls"),
    callsTable(only === "" ? data.edges : shown.edges.flatMap(({ calls }) => calls)),
  ]);
}

function nothingYet(isEmpty: boolean): ComponentChild {
  return isEmpty
    ? steps("No proxy is connected, so there is nothing to draw. Bring workloads into the mesh:", [
        "kubectl label namespace NAME istio-injection=enabled",
        "kubectl rollout restart deployment --namespace NAME",
      ])
    : note(
        "No proxy has counted a request or a connection yet. Send one through the mesh: it is drawn within seconds.",
      );
}

/** Links to each namespace's part of the picture. */
function choice(namespaces: readonly string[], only: string): ComponentChild {
  const link = (name: string, text: string): ComponentChild =>
    h(
      "a",
      { key: name, href: `#/graph/${encodeURIComponent(name)}`, ...(name === only ? { "aria-current": "true" } : {}) },
      text,
    );
  return h("nav", { class: "choice", "aria-label": "Namespaces" }, [
    link("", "All"),
    ...namespaces.map((name) => link(name, name)),
  ]);
}

/** Names can be read down to this size of a picture. */
const SMALLEST = 0.6;

function picture(shown: Drawn): ComponentChild {
  const laid = laidOut(shown);
  const edges = laid.edges.map(({ index, points }) => {
    const edge = shown.edges[index];
    const line = points.map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
    return h("g", { key: `e${index}`, class: `edge ${edge === undefined ? "" : worstTone(edge)}` }, [
      h("path", { d: line, "marker-end": "url(#arrow)" }),
      h("title", {}, edge === undefined ? "" : lineText(edge)),
    ]);
  });
  const what = shown.isOverview ? "namespaces" : "workloads";
  const { left, top, width, height } = laid;
  const style = { minWidth: `${Math.round(width * SMALLEST)}px` };
  const size = { width, height, viewBox: `${left} ${top} ${width} ${height}`, style };
  return h("figure", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Picture of who calls whom" }, [
    h(
      "svg",
      {
        ...size,
        role: "img",
        "aria-label": `${shown.nodes.length} ${what}, ${shown.edges.length} kinds of calls; the table below says the same`,
      },
      [
        h(
          "defs",
          {},
          h(
            "marker",
            {
              id: "arrow",
              viewBox: "0 0 8 8",
              refX: 7,
              refY: 4,
              markerUnits: "userSpaceOnUse",
              markerWidth: 10,
              markerHeight: 10,
              orient: "auto",
            },
            h("path", { d: "M0,0 L8,4 L0,8 z" }),
          ),
        ),
        ...edges,
        ...boxes(shown, laid.nodes),
      ],
    ),
    legend(shown.isOverview),
  ]);
}

/** A namespace's box leads to its own part of the picture. */
function boxes({ nodes, isOverview }: Drawn, places: ReturnType<typeof laidOut>["nodes"]): readonly ComponentChild[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return places.map(({ id, x, y, width }) => {
    const node = byId.get(id);
    const box = h("g", { key: id, class: "node", transform: `translate(${x - width / 2},${y - NODE_HEIGHT / 2})` }, [
      h("rect", { width, height: NODE_HEIGHT, rx: 8 }),
      h("text", { x: width / 2, y: 19 }, node?.name ?? id),
      h("text", { x: width / 2, y: 35, class: "where" }, node?.namespace ?? ""),
    ]);
    return isOverview ? h("a", { key: id, href: `#/graph/${encodeURIComponent(id)}` }, box) : box;
  });
}

function legend(isOverview: boolean): ComponentChild {
  return h("figcaption", {}, [
    h("span", { class: "key secured" }, "mutual TLS"),
    h("span", { class: "key plain" }, "plain text"),
    h("span", { class: "key failing" }, "failures"),
    h("span", { class: "key unsure" }, "not known"),
    isOverview ? "A mesh of this size is drawn by namespaces; choose one to see its workloads." : undefined,
  ]);
}

const TONES = ["failing", "plain", "unsure", "secured"] as const;

function worstTone({ calls }: DrawnEdge): string {
  const tones = new Set(calls.map(tone));
  return TONES.find((each) => tones.has(each)) ?? "unsure";
}

function lineText({ from, to, calls }: DrawnEdge): string {
  const [first, ...more] = calls;
  if (first === undefined || more.length > 0) return `${from} to ${to}: ${calls.length} kinds of calls`;
  return edgeText(first);
}

function tone({ success = 1, security }: ObservedEdge): (typeof TONES)[number] {
  if (success < 0.99) return "failing";
  return security === "none" ? "plain" : security === "mutual_tls" ? "secured" : "unsure";
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

function callsTable(edges: Observed["edges"]): ComponentChild {
  const rows = edges.map((edge) => ({
    key: `${edge.from} ${edge.to} ${edge.service} ${edge.protocol ?? ""}`,
    text: `${edge.from} ${edge.to} ${edge.service} ${tone(edge)}`,
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
  const columns = ["From", "To", "Service", "Secured", "Rate", "Success", "p99"];
  return longTable({ caption: "Calls", columns, rows });
}
