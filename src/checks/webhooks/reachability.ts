import { category, failed, ok, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";
import { blockingHooks, configurationNames, type Hook } from "./lists.ts";

/** Whether something answers behind webhooks. */
export const reachabilityChecks = category("webhooks", [
  {
    name: "webhooks-reachable",
    affirmation: "every webhook that can stop us has a service behind it",
    hint: "delete the left-over webhook configuration, or bring its service back",
    about:
      "A webhook with failurePolicy Fail whose service is gone makes every matching create fail (istio/istio#38880 and others).",
    severity: "error",
    run: async (facts) => {
      const services = await servicesOf(facts);
      const orphans = (await blockingHooks(facts)).filter((hook) => target(hook) !== "" && !services.has(target(hook)));
      return orphans.length === 0 ? ok() : failed(`no service behind ${configurationNames(orphans)}`);
    },
  },
  {
    name: "webhook-ports",
    affirmation: "services of webhooks have the port that is called",
    hint: "correct clientConfig.service.port of the webhook, or add the port to the Service",
    about: "The API server calls the Service's port; when the Service has none of that number, every call fails.",
    severity: "error",
    run: async (facts) => {
      const services = await servicesOf(facts);
      const wrong = (await blockingHooks(facts)).filter((hook) => {
        const ports = services.get(target(hook))?.spec?.ports;
        const port = hook.webhook.clientConfig?.service?.port ?? 443;
        return ports !== undefined && !ports.some((each) => each.port === port);
      });
      return verdict(
        wrong.map(({ webhook }) => `${webhook.name} calls port ${webhook.clientConfig?.service?.port ?? 443}`),
      );
    },
  },
  {
    name: "webhook-endpoints",
    affirmation: "services of webhooks that can stop us have pods that are ready",
    hint: "look at the pods behind the service; the message names it",
    about:
      "With no pod behind it a webhook cannot answer, and what it is asked about cannot be created, often the very pods that would answer.",
    severity: "error",
    run: async (facts) => {
      const services = await servicesOf(facts);
      const slices = await facts.list("EndpointSlice");
      const ready = new Set(
        slices
          .filter(({ endpoints = [] }) => (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false))
          .map(
            ({ metadata }) => `${metadata.namespace ?? ""}/${metadata.labels?.["kubernetes.io/service-name"] ?? ""}`,
          ),
      );
      const dead = (await blockingHooks(facts)).filter((hook) => {
        const service = services.get(target(hook));
        return service?.spec?.selector !== undefined && !ready.has(target(hook));
      });
      return verdict([
        ...new Set(dead.map((hook) => `Service ${target(hook)} of ${hook.configuration.metadata.name}`)),
      ]);
    },
  },
]);

function target({ webhook }: Hook): string {
  const service = webhook.clientConfig?.service;
  return service === undefined ? "" : `${service.namespace}/${service.name}`;
}

async function servicesOf(facts: Facts) {
  const services = await facts.list("Service");
  return new Map(services.map((service) => [`${service.metadata.namespace ?? ""}/${service.metadata.name}`, service]));
}
