import { h, type ComponentChild } from "preact";
import { type Authority, daysUntil, type Finding, type Mesh, type Proxy, spanText, stateOf } from "./data.ts";
import { answered, badge, dataTable, longTable, note, steps } from "./parts.ts";

const LOST = "NOT CONNECTED";
const STATES: Readonly<Record<string, "good" | "bad" | "warn">> = {
  [LOST]: "bad",
  NACK: "bad",
  STALE: "warn",
  SYNCED: "good",
};
const TYPES = ["cluster", "listener", "endpoint", "route", "secret"];
const PROXY_COLUMNS = ["Proxy", "State", "Type", "Version", "Certificate ends", "Refused"];

/** Every proxy that is connected, and every one that should be, those with trouble first. */
export function proxiesView({ proxies, lost }: Mesh, now: number): ComponentChild {
  return answered(proxies, (all) => {
    const missing = "data" in lost ? lost.data.map(({ name, namespace }) => `${name}.${namespace}`) : [];
    if (all.length + missing.length === 0)
      return steps("No proxy is connected to this instance of the control plane. Bring workloads into the mesh:", [
        "kubectl label namespace NAME istio-injection=enabled",
        "kubectl rollout restart deployment --namespace NAME",
        "meshctl inject explain POD.NAMESPACE   # why a pod has none",
      ]);
    const gone = missing.map((proxy) => ({
      key: proxy,
      state: LOST,
      cells: [proxy, badge(LOST, "bad"), "-", "-", "-", "-"],
    }));
    const order = ({ state }: { readonly state: string }): number => Object.keys(STATES).indexOf(state);
    const rows = [...gone, ...all.map((proxy) => proxyRow(proxy, now))]
      .toSorted((a, b) => order(a) - order(b) || (a.key < b.key ? -1 : 1))
      .map((row) => ({ ...row, text: `${row.key} ${row.state}` }));
    return longTable({ caption: "Proxies", columns: PROXY_COLUMNS, rows });
  });
}

function proxyRow(
  proxy: Proxy,
  now: number,
): { readonly key: string; readonly state: string; readonly cells: readonly ComponentChild[] } {
  const state = stateOf(proxy);
  const { certificate_expires: end } = proxy;
  return {
    key: proxy.proxy,
    state,
    cells: [
      h("a", { href: `#/proxy/${encodeURIComponent(proxy.proxy)}` }, proxy.proxy),
      badge(state, STATES[state] ?? "plain"),
      proxy.proxy_type,
      proxy.istio_version,
      end === undefined ? "-" : endBadge(end, now, 1 / 24),
      refusal(proxy),
    ],
  };
}

function refusal({ types }: Proxy): string {
  const said = Object.entries(types).flatMap(([type, state]) =>
    state?.lastError === undefined ? [] : [`${type}: ${state.lastError}`],
  );
  return said.length === 0 ? "-" : said.join("; ");
}

/** How each type of one proxy's configuration stands. */
export function proxyTypes(proxy: Proxy): ComponentChild {
  const rows = TYPES.flatMap((type) => {
    const state = proxy.types[type];
    if (state === undefined) return [];
    const cells = [type, badge(state.status, STATES[state.status] ?? "plain"), String(state.pendingCount ?? 0)];
    return [{ key: type, cells: [...cells, state.lastError ?? "-"] }];
  });
  return dataTable(`Configuration of ${proxy.proxy}`, ["Type", "State", "Not confirmed", "Refused"], rows);
}

const LEVELS: Readonly<Record<string, "good" | "bad" | "warn" | "plain">> = {
  Error: "bad",
  Warning: "warn",
  Info: "plain",
};

/** What the analyzers find in the objects of the cluster, worst first. */
export function findingsView({ findings }: Mesh): ComponentChild {
  return answered(findings, ({ findings: all }) => {
    if (all.length === 0) return note("The analyzers find nothing wrong.");
    const order = ({ level }: Finding): number => Object.keys(LEVELS).indexOf(level);
    const rows = all
      .toSorted((a, b) => order(a) - order(b))
      .map((finding, index) => ({
        key: String(index),
        text: `${finding.code} ${finding.level} ${objectText(finding)} ${finding.message}`,
        cells: [
          finding.documentationUrl === undefined
            ? finding.code
            : h("a", { href: finding.documentationUrl, rel: "noreferrer", target: "_blank" }, finding.code),
          badge(finding.level, LEVELS[finding.level] ?? "plain"),
          objectText(finding),
          [finding.message, ...(finding.hint === undefined ? [] : [h("br", {}), h("small", {}, finding.hint)])],
        ],
      }));
    return longTable({ caption: "Findings", columns: ["Code", "Level", "Object", "What is wrong"], rows });
  });
}

function objectText({ object }: Finding): string {
  if (object === undefined) return "-";
  return `${object.kind} ${object.namespace === undefined ? "" : `${object.namespace}/`}${object.name}`;
}

/** The authority's certificates, and those of proxies that end next. */
export function certificatesView({ authority, proxies }: Mesh, now: number): ComponentChild {
  return h("div", {}, [
    h("h2", {}, "Authority"),
    answered(authority, (data) => authorityPart(data, now)),
    h("h2", {}, "Proxies, the next to end first"),
    answered(proxies, (all) => {
      const held = all.flatMap(({ proxy, certificate_expires: end }) => (end === undefined ? [] : [{ proxy, end }]));
      if (held.length === 0) return note("No proxy is connected by a certificate.");
      const rows = held
        .toSorted((a, b) => (a.end < b.end ? -1 : 1))
        .slice(0, 50)
        .map(({ proxy, end }) => ({
          key: proxy,
          cells: [proxy, end, endBadge(end, now, 1 / 24)],
        }));
      return dataTable("Certificates of proxies", ["Proxy", "Valid until", "Left"], rows);
    }),
  ]);
}

function authorityPart({ trustDomain, signs, certificates }: Authority, now: number): ComponentChild {
  const rows = certificates.map((one) => ({
    key: one.fingerprint,
    cells: [
      one.subject,
      one.role,
      one.notAfter,
      endBadge(one.notAfter, now, 60),
      h("code", {}, one.serial),
      h("code", { class: "long" }, one.fingerprint),
    ],
  }));
  const signing = signs ? "signs workloads" : "does not sign workloads";
  return h("div", {}, [
    h("p", {}, ["Trust domain ", h("code", {}, trustDomain), `; this control plane ${signing}.`]),
    dataTable("Certificates of the authority", ["Subject", "Role", "Valid until", "Left", "Serial", "SHA-256"], rows),
  ]);
}

function endBadge(end: string, now: number, soonDays: number): ComponentChild {
  const days = daysUntil(end, now);
  return badge(spanText(days), days < 0 ? "bad" : days < soonDays ? "warn" : "good");
}

/** The control plane itself: what runs, and how loud its parts are. */
export function aboutView({ about, scopes }: Mesh, now: number): ComponentChild {
  return h("div", {}, [
    answered(about, (data) => {
      const facts: readonly (readonly [string, string])[] = [
        ["Version", data.version],
        ["Instance", `${data.namespace}/${data.instance}`],
        ["Revision", data.revision],
        ["Cluster", data.cluster],
        ["Runs for", spanText(-daysUntil(data.startedAt, now))],
        ["Memory", `${Math.round(data.memoryBytes / 1_048_576)} MiB`],
        ["Node.js", data.node],
        [
          "Ports",
          Object.entries(data.ports)
            .map(([name, port]) => `${name} ${port}`)
            .join(", "),
        ],
      ];
      return h(
        "dl",
        {},
        facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
      );
    }),
    h("h2", {}, "Levels of its log"),
    answered(scopes, (all) =>
      dataTable(
        "Log scopes",
        ["Scope", "Level", "What it tells"],
        all.map(({ scope_name: name, log_level: level, description }) => ({
          key: name,
          cells: [name, level, description],
        })),
      ),
    ),
    h("p", {}, [
      "Change one with ",
      h("code", {}, "meshctl admin log --level"),
      ". Its counters: ",
      h("a", { href: "../metrics" }, "metrics"),
      ".",
    ]),
  ]);
}
