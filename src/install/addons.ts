import { createHash } from "node:crypto";
import { compact } from "../base/compact.ts";
import { fillTemplate } from "../base/template.ts";
import { addonManifests } from "../gen/addon-manifests.ts";
import type { KubeObject } from "../resources/object.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
import { KIND_ORDER, MANAGED_LABELS } from "./render.ts";

/** Programs beside the mesh that show what it does, by the names of `meshctl addons`. */
export const ADDONS = ["grafana", "jaeger", "kiali", "otel-collector", "prometheus"] as const;
export type AddonName = (typeof ADDONS)[number];

/** By whose label the objects of an addon are found; also in samples/addons/. */
export const ADDON_LABEL = "meshctl.io/addon";

/** How addons are installed. */
export interface AddonSettings {
  readonly namespace: string;
  /** Takes the place of the images' registry; the path in it stays. */
  readonly hub?: string | undefined;
  /** Images of some addons in place of the bundled ones. */
  readonly images?: Readonly<Partial<Record<AddonName, string>>>;
  /** How often Prometheus scrapes, as Prometheus writes durations. */
  readonly scrapeInterval?: string | undefined;
  /** How long Prometheus keeps what it scraped. */
  readonly retention?: string | undefined;
}

/** What Prometheus does unless told otherwise. */
export const ADDON_DEFAULTS = { scrapeInterval: "15s", retention: "24h" } as const;

/** Which form the objects have. */
export interface AddonForm {
  /** With the labels by which `meshctl uninstall` finds what meshctl made. */
  readonly managed: boolean;
  /** Texts of manifests/ in place of the bundled ones: for the generator, which writes those. */
  readonly texts?: Readonly<Record<string, string>>;
}

/**
 * The objects of one addon, in the order in which they are applied. Pure. They have no label of a revision, since an addon
 * belongs to none.
 */
export function renderAddon(
  name: AddonName,
  settings: AddonSettings,
  { managed, texts = addonManifests }: AddonForm,
): readonly KubeObject[] {
  const { namespace } = settings;
  const all = filesOf(name, settings, texts);
  const part = (isPart: (file: string) => boolean): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(all).filter(([file]) => isPart(file)));
  const variables = {
    namespace,
    image: addonImage(name, settings, texts),
    retention: settings.retention ?? ADDON_DEFAULTS.retention,
    files: part((file) => !file.endsWith(".json")),
    // Grafana reads them as they are: without the blanks that are for people
    dashboards: mapValues(
      part((file) => file.endsWith(".json")),
      (text) => JSON.stringify(JSON.parse(text)),
    ),
    digest: createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 16),
  };
  const owner = managed ? { ...MANAGED_LABELS, ...ownerLabels(namespace) } : {};
  const objects = (texts[`addons/${name}.yaml`] ?? "")
    .split(/^---$/m)
    .map((part) => fillTemplate(parseYaml(part), variables) as KubeObject);
  const place = ({ kind }: KubeObject): number => KIND_ORDER.indexOf(kind);
  return objects
    .toSorted((a, b) => place(a) - place(b))
    .map((object) => {
      const labels = { ...object.metadata.labels, [ADDON_LABEL]: name, ...owner };
      return { ...object, metadata: { ...object.metadata, labels } };
    });
}

/** The image that an addon runs. */
export function addonImage(
  name: AddonName,
  { hub, images = {} }: Pick<AddonSettings, "hub" | "images">,
  texts: Readonly<Record<string, string>> = addonManifests,
): string {
  const bundled = (parseYaml(texts["addons/images.yaml"] ?? "") as Readonly<Record<string, string>>)[name];
  const image = images[name] ?? bundled ?? "";
  return hub === undefined || images[name] !== undefined
    ? image
    : `${hub.replace(/\/$/, "")}${image.replace(/^[^/]+/, "")}`;
}

/** The files that an addon's program reads, by name, with their settings filled in: the data of its ConfigMap. */
function filesOf(
  name: AddonName,
  settings: AddonSettings,
  texts: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const folder = `addons/${name}/`;
  const values: Readonly<Record<string, string>> = compact({
    "%NAMESPACE%": settings.namespace,
    "%SCRAPE_INTERVAL%": settings.scrapeInterval ?? ADDON_DEFAULTS.scrapeInterval,
  });
  const fill = (text: string): string => text.replace(/%[A-Z_]+%/g, (hole) => values[hole] ?? hole);
  return Object.fromEntries(
    Object.entries(texts)
      .filter(([file]) => file.startsWith(folder))
      .map(([file, text]) => [file.slice(folder.length), fill(text)]),
  );
}

function mapValues(
  record: Readonly<Record<string, string>>,
  map: (value: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

function ownerLabels(namespace: string): Readonly<Record<string, string>> {
  return {
    "install.operator.istio.io/owning-resource": "meshctl",
    "install.operator.istio.io/owning-resource-namespace": namespace,
  };
}
