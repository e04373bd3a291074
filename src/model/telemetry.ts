import type { KindTypes } from "../resources/kinds.ts";
import type { ModelContext } from "./context.ts";
import { defaultProviders, providerService, type Signal, telemetryProvider } from "./extension-providers.ts";
import { byAge } from "./order.ts";
import { policyHolds, type PolicyWorkload } from "./policy-selection.ts";
import { namedSelector } from "./selectors.ts";

export type Telemetry = KindTypes["Telemetry"];
export type TelemetrySpec = NonNullable<Telemetry["spec"]>;

/** The side of a call that a listener is on: of its client (gateways too), or of its server. */
export type TelemetrySide = "CLIENT" | "SERVER";

/** Questions about Telemetry. */
export interface Telemetries {
  /**
   * `namespace/name` of those that hold for the workload, the widest first: of the root namespace, of its own namespace (the
   * oldest without selector and target of each), and all that select it, oldest first. Later ones win.
   */
  of(workload: PolicyWorkload): readonly string[];
  /** One by its `namespace/name`; undefined when it is not there. */
  byId(id: string): Telemetry | undefined;
  /** Hosts of services that proxies of a namespace may be told to send logs or spans to, whatever their Sidecars show. */
  collectors(namespace: string): readonly string[];
}

export function createTelemetries({ world, derivations, rootNamespace, meshConfig }: ModelContext): Telemetries {
  const sorted = derivations.keyed("Telemetries", (namespace: string) =>
    world.list("Telemetry", namespace).toSorted(byAge),
  );
  const wide = derivations.keyed("Telemetry of namespace", (namespace: string) => sorted(namespace).find(isWide));
  const namespaces = (own: string): readonly string[] => [...new Set([rootNamespace, own])];
  return {
    of: (workload) =>
      [
        ...namespaces(workload.namespace).flatMap((namespace) => wide(namespace) ?? []),
        ...sorted(workload.namespace).filter(
          (object) => !isWide(object) && policyHolds(object.spec, workload.namespace, workload),
        ),
      ].map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`),
    byId(id) {
      const slash = id.indexOf("/");
      return world.get("Telemetry", id.slice(0, slash), id.slice(slash + 1));
    },
    collectors: derivations.keyed("collectors", (own: string): readonly string[] => {
      const config = meshConfig();
      const signals: readonly Signal[] = ["accessLogging", "tracing"];
      const named = namespaces(own).flatMap((namespace) =>
        sorted(namespace).flatMap(({ spec }) => [...namesIn(spec?.accessLogging), ...namesIn(spec?.tracing)]),
      );
      const names = new Set([...signals.flatMap((signal) => defaultProviders(config, signal)), ...named]);
      const hosts = [...names].flatMap((name) => {
        const settings = telemetryProvider(config, name)?.settings ?? {};
        return servicesOf(settings).flatMap((one) => providerService(one)?.host ?? []);
      });
      return [...new Set(hosts)].toSorted();
    }),
  };
}

type Loose = Readonly<Record<string, unknown>>;

/** The service of a provider, and that of its sampler. */
function servicesOf(settings: Loose): readonly Loose[] {
  const { httpService } = (settings["dynatraceSampler"] ?? {}) as { readonly httpService?: Loose };
  return httpService === undefined ? [settings] : [settings, httpService];
}

function namesIn(
  entries: readonly { readonly providers?: readonly { readonly name: string }[] }[] = [],
): readonly string[] {
  return entries.flatMap(({ providers = [] }) => providers.map(({ name }) => name));
}

/** Whether it holds for all of its namespace. */
function isWide({ spec }: Telemetry): boolean {
  const hasTarget = spec?.targetRef !== undefined || (spec?.targetRefs ?? []).length > 0;
  return !hasTarget && namedSelector(spec?.selector?.matchLabels) === undefined;
}
