import type { PodView } from "./pod.ts";
import type { RouteView, ServiceView, SubsetView } from "./services.ts";

/** A pod for people. */
export function podText(pod: PodView): string {
  return [
    `Pod: ${pod.pod}`,
    `  Proxy: ${pod.proxy}${pod.revision === "" ? "" : ` (revision ${pod.revision})`}`,
    ...(pod.ports.length === 0
      ? []
      : [`  Ports: ${pod.ports.map(({ number, name }) => (name === "" ? number : `${number} (${name})`)).join(", ")}`]),
    ...pod.mtls.map(
      ({ port, mode, policy }) =>
        `  Mutual TLS${port === 0 ? "" : ` at port ${port}`}: ${mode} (${policy ?? "the default"})`,
    ),
    ...pod.authorization.map(({ policy, action }) => `  Authorization: ${action} by ${policy}`),
    ...pod.tokens.map((policy) => `  Tokens: ${policy}`),
    ...pod.warnings.map((words) => `  Warning: ${words}`),
    ...(pod.services.length === 0 ? ["  No Service selects it."] : []),
    ...pod.services.map((service) => serviceText(service).trimEnd()),
    "",
  ].join("\n");
}

/** A service for people. */
export function serviceText(view: ServiceView): string {
  const { destinationRule: rule, virtualService: routes } = view;
  return [
    `${view.service} (${view.host})`,
    ...view.ports.map(({ number, name, protocol }) => `  Port: ${number}${name === "" ? "" : ` ${name}`}, ${protocol}`),
    ...(rule === undefined
      ? []
      : [
          `  ${rule.object}${rule.settings.length === 0 ? "" : ` sets ${rule.settings.join(", ")}`}`,
          ...rule.subsets.map(subsetText),
          ...rule.notFollowed.map((words) => `    Not followed: ${words}`),
        ]),
    ...(routes === undefined
      ? []
      : [
          `  ${routes.object}`,
          ...routes.routes.map(routeText),
          ...(routes.routes.length === 0 ? ["    No rule of it sends here."] : []),
          ...routes.notFollowed.map((words) => `    Not followed: ${words}`),
        ]),
    ...view.gateways.map(
      ({ gateway, host, virtualService }) => `  Gateway: ${gateway} serves it as ${host} (${virtualService})`,
    ),
    "",
  ].join("\n");
}

function subsetText({ name, labels, has }: SubsetView): string {
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const belongs = has === undefined ? "" : has ? ": this pod is in it" : ": this pod is not in it";
  return `    Subset ${name} (${words.join(", ") || "all pods"})${belongs}`;
}

function routeText({ rule, subset, weight, reaches }: RouteView): string {
  const to = subset === "" ? "all subsets" : `subset ${subset}`;
  return `    Rule ${rule}: ${weight} % to ${to}${reaches === false ? ", never to this pod" : ""}`;
}
