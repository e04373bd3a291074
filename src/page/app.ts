import { h, type ComponentChild } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Answer, ask, browser } from "./browser.ts";
import { askMesh, isAnswering, type Mesh, stateOf } from "./data.ts";
import { graphView } from "./graph-view.ts";
import { answered, note } from "./parts.ts";
import { aboutView, certificatesView, findingsView, proxiesView, proxyTypes } from "./views.ts";

/** Sections by the word in the address after `#/`, with what is told of them in the navigation. */
const SECTIONS: Readonly<
  Record<
    string,
    {
      readonly title: string;
      /** `name` is what stands behind the section in the address. */
      readonly view: (mesh: Mesh, now: number, name: string) => ComponentChild;
      readonly count?: (mesh: Mesh) => string;
    }
  >
> = {
  graph: { title: "Graph", view: graphView },
  proxies: {
    title: "Proxies",
    view: proxiesView,
    count: ({ proxies, lost }) => countOf(proxies, (all) => all.length + ("data" in lost ? lost.data.length : 0)),
  },
  findings: {
    title: "Findings",
    view: findingsView,
    count: ({ findings }) => countOf(findings, (all) => all.findings.length),
  },
  certificates: { title: "Certificates", view: certificatesView },
  meshd: { title: "Control plane", view: aboutView },
};

const INTERVAL_MS = 5000;

function countOf<T>(answer: Answer<T>, count: (data: T) => number): string {
  return "data" in answer ? ` ${count(answer.data)}` : "";
}

/** The whole page: it asks anew every five seconds, unless somebody stopped it. */
export function App(): ComponentChild {
  const [hash, setHash] = useState(browser.location.hash);
  const [mesh, setMesh] = useState<Mesh | undefined>(undefined);
  const [lostAt, setLostAt] = useState<number | undefined>(undefined);
  const [isLive, setLive] = useState(true);
  useEffect(() => {
    const follow = (): void => setHash(browser.location.hash);
    browser.addEventListener("hashchange", follow);
    return () => browser.removeEventListener("hashchange", follow);
  }, []);
  useEffect(() => {
    if (!isLive) return;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = async (): Promise<void> => {
      const next = await askMesh();
      if (isOver) return;
      const isThere = isAnswering(next);
      // what was told last stays, with a word that it is old
      setMesh((before) => (isThere || before === undefined ? next : before));
      setLostAt((before) => (isThere ? undefined : (before ?? Date.now())));
      timer = setTimeout(() => void again(), INTERVAL_MS);
    };
    void again();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [isLive]);
  const [, section = "graph", name = ""] = /^#\/(\w+)\/?(.*)$/.exec(hash) ?? [];
  return h("div", {}, [
    header(section, mesh, { isLive, toggle: () => setLive(!isLive) }),
    h("main", { id: "main", tabIndex: -1 }, [
      lostAt === undefined ? undefined : outage(lostAt, isLive),
      mesh === undefined ? note("Asking the control plane …") : body(section, name, mesh),
    ]),
  ]);
}

function outage(since: number, isLive: boolean): ComponentChild {
  const again = isLive ? `It is asked again every ${INTERVAL_MS / 1000} s.` : "The page is stopped.";
  return h(
    "p",
    { class: "outage", role: "alert" },
    `The control plane does not answer since ${new Date(since).toLocaleTimeString()}. What stands here is what it said before. ${again}`,
  );
}

function header(
  section: string,
  mesh: Mesh | undefined,
  live: { readonly isLive: boolean; readonly toggle: () => void },
): ComponentChild {
  const links = Object.entries(SECTIONS).map(([key, { title, count }]) =>
    h(
      "li",
      { key },
      h(
        "a",
        { href: `#/${key}`, ...(isIn(section, key) ? { "aria-current": "page" } : {}) },
        `${title}${mesh === undefined ? "" : (count?.(mesh) ?? "")}`,
      ),
    ),
  );
  return h("header", {}, [
    h("a", { class: "skip", href: "#main" }, "Skip to content"),
    h("h1", {}, "Mesh"),
    h("nav", { "aria-label": "Sections" }, h("ul", {}, links)),
    h(
      "button",
      { type: "button", "aria-pressed": live.isLive ? "true" : "false", onClick: live.toggle },
      live.isLive ? "Live" : "Stopped",
    ),
  ]);
}

function isIn(section: string, key: string): boolean {
  return (
    section === key ||
    (section === "proxy" && key === "proxies") ||
    (key === "graph" && SECTIONS[section] === undefined && section !== "proxy")
  );
}

function body(section: string, name: string, mesh: Mesh): ComponentChild {
  const now = Date.now();
  if (section === "proxy") return h(ProxyPage, { key: name, name: decodeURIComponent(name), mesh });
  const { title, view } = SECTIONS[section] ?? (SECTIONS["graph"] as (typeof SECTIONS)[string]);
  return h("section", { "aria-labelledby": "title" }, [
    h("h2", { id: "title" }, title),
    view(mesh, now, decodeURIComponent(name)),
  ]);
}

interface Dump {
  readonly configs: readonly Readonly<Record<string, unknown>>[];
}

/** One proxy: how its configuration stands, and what the control plane means it to have. */
function ProxyPage({ name, mesh }: { readonly name: string; readonly mesh: Mesh }): ComponentChild {
  const [dump, setDump] = useState<Answer<Dump> | undefined>(undefined);
  useEffect(() => {
    void ask<Dump>(`../debug/config_dump?proxyID=${encodeURIComponent(name)}`).then(setDump);
  }, [name]);
  const proxies = "data" in mesh.proxies ? mesh.proxies.data : [];
  const proxy = proxies.find((one) => one.proxy === name);
  return h("section", { "aria-labelledby": "title" }, [
    h("h2", { id: "title" }, name),
    proxy === undefined
      ? note("It is not connected to this instance of the control plane.")
      : h("div", {}, [
          h("p", {}, `${proxy.proxy_type}, ${stateOf(proxy)}, connected since ${proxy.connected_at}`),
          proxyTypes(proxy),
        ]),
    h("h2", {}, "What it is to have"),
    dump === undefined ? note("Asking …") : answered(dump, ({ configs }) => h("div", {}, configs.flatMap(dumpPart))),
  ]);
}

function dumpPart(config: Dump["configs"][number]): ComponentChild[] {
  const title = String(config["@type"]).replace(/^.*\.(\w+)ConfigDump$/, "$1");
  const lists = Object.values(config).filter((value): value is unknown[] => Array.isArray(value));
  return lists.map((items) =>
    h("details", { key: title }, [
      h("summary", {}, `${title}: ${items.length}`),
      ...items
        .slice(0, 200)
        .map((item, index) =>
          h("details", { key: String(index), class: "inner" }, [
            h("summary", {}, nameOf(item)),
            h("pre", { tabIndex: 0 }, JSON.stringify(item, undefined, 2)),
          ]),
        ),
    ]),
  );
}

/** A resource's name stands at its top, or one level below. */
function nameOf(item: unknown): string {
  const own = (value: unknown): string | undefined => {
    const { name, cluster_name: cluster } = (value ?? {}) as { name?: unknown; cluster_name?: unknown };
    return typeof name === "string" ? name : typeof cluster === "string" ? cluster : undefined;
  };
  return (
    own(item) ??
    Object.values((item ?? {}) as object)
      .map(own)
      .find((name) => name !== undefined) ??
    "without a name"
  );
}
