import type { ClusterTls } from "../../ir/cluster.ts";
import type { MeshService, ServicePort } from "../../ir/service.ts";
import type { Model } from "../../model/model.ts";
import { byAge } from "../../model/order.ts";
import { GATEWAY_GROUP } from "../../model/gateway-api-types.ts";
import type { BackendPolicy } from "./policy-status.ts";

type Validation = NonNullable<BackendPolicy["spec"]>["validation"];

/** TLS to a Service's port as a BackendTLSPolicy asks; undefined when none is about it. One for the port counts before one for all. */
export function backendTls(model: Model, service: MeshService, port: ServicePort): ClusterTls | undefined {
  const { from } = service;
  if (from.kind !== "Service") return undefined;
  const policies = model.world.list("BackendTLSPolicy", from.namespace).toSorted(byAge);
  const about = (section: string | undefined): BackendPolicy | undefined =>
    policies.find(({ spec }) =>
      (spec?.targetRefs ?? []).some(
        ({ group, kind, name, sectionName }) =>
          group === "" && kind === "Service" && name === from.name && sectionName === section,
      ),
    );
  const policy = about(port.name) ?? about(undefined);
  return policy?.spec === undefined ? undefined : tlsOf(model, from.namespace, policy.spec.validation);
}

function tlsOf(model: Model, namespace: string, validation: Validation): ClusterTls {
  const { hostname, subjectAltNames = [], wellKnownCACertificates } = validation;
  const names = subjectAltNames.flatMap(({ hostname: name = "", uri = "" }) =>
    [name, uri].filter((text) => text !== ""),
  );
  const shared = { mode: "simple", sni: hostname, subjectAltNames: names.length > 0 ? names : [hostname] } as const;
  if (wellKnownCACertificates !== undefined) return shared;
  // without any authority nothing is trusted: requests fail
  return { ...shared, roots: rootsOf(model, namespace, validation).join("\n") };
}

/** Objects that policies take authorities from, as `Kind/namespace/name` for ConfigMaps and `namespace/name` for Secrets. */
export function authorityObjects({ world }: Model): readonly string[] {
  return world.list("BackendTLSPolicy").flatMap(({ spec, metadata }) =>
    (spec?.validation.caCertificateRefs ?? []).map(({ kind, name }) => {
      const place = `${metadata.namespace ?? ""}/${name}`;
      return kind === "Secret" ? place : `ConfigMap/${place}`;
    }),
  );
}

function rootsOf(model: Model, namespace: string, { caCertificateRefs = [] }: Validation): readonly string[] {
  const from = { group: GATEWAY_GROUP, kind: "BackendTLSPolicy", namespace };
  return caCertificateRefs.flatMap((ref) => {
    if (model.gatewayApi.secrets.authorityProblem(from, ref) !== undefined) return [];
    const isSecret = ref.kind === "Secret";
    const holder = model.world.get(isSecret ? "Secret" : "ConfigMap", namespace, ref.name);
    const text = holder?.data?.["ca.crt"] ?? "";
    return [isSecret ? Buffer.from(text, "base64").toString() : text];
  });
}
