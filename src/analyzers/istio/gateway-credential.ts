import type { FieldPath } from "../../diagnostics/finding.ts";
import { nearest } from "../../base/nearest.ts";
import { credentialProblem, credentialRefs, type CredentialRef } from "../../model/credentials.ts";
import type { Gateway } from "../../model/gateways.ts";
import { namedSelector } from "../../model/selectors.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/**
 * A server without its certificate takes no connections. Secrets are read in the namespace of the gateway's pods, not in that
 * of the Gateway object; MUTUAL also needs the clients' authority, in the Secret, in `<name>-cacert`, or where
 * caCertCredentialName says.
 */
export const gatewayCredential = defineAnalyzer({
  name: "gateway-credential",
  summary: "Checks that Secrets which Gateways name exist and hold a certificate that is valid now.",
  reads: ["Gateway", "Pod", "Secret"],
  codes: ["IST0101", "IST0161"],
  analyze: (input) => {
    for (const object of input.world.list("Gateway")) {
      const refs = (object.spec?.servers ?? []).flatMap(({ tls }, index) =>
        tls === undefined ? [] : credentialRefs(tls).map((ref) => ({ ref, path: ["spec", "servers", index, "tls"] })),
      );
      if (refs.length > 0)
        for (const namespace of namespacesOf(input, object)) checkAll(input, object, namespace, refs);
    }
  },
});

type Input = AnalyzerInput<"Gateway" | "Pod" | "Secret", "IST0101" | "IST0161">;

interface Use {
  readonly ref: CredentialRef;
  /** Of the tls settings. */
  readonly path: FieldPath;
}

function namespacesOf({ model, unknown, complete }: Input, { spec, metadata }: Gateway): readonly string[] {
  const selector = namedSelector(spec?.selector);
  if (selector === undefined) return [];
  const pods = model.workloads.selected(undefined, selector);
  if (pods.length === 0 && !complete)
    unknown(`certificates of gateway ${metadata.namespace ?? ""}/${metadata.name}: its pods are not in the files`);
  return [...new Set(pods.map((pod) => pod.metadata.namespace ?? ""))];
}

function checkAll(input: Input, object: Gateway, namespace: string, uses: readonly Use[]): void {
  for (const { ref, path } of uses) {
    const secret = ref.names
      .map((name) => input.world.get("Secret", namespace, name))
      .find((each) => each !== undefined);
    const at = [...path, ...ref.path];
    if (secret === undefined) {
      reportMissing(input, object, namespace, { ref, path: at });
      continue;
    }
    const authority = input.world.get("Secret", namespace, `${secret.metadata.name}-cacert`);
    const reason = credentialProblem(secret, ref, input.now, authority);
    if (reason === undefined) continue;
    const args = { gateway: object.metadata.name, namespace, secret: `${namespace}/${secret.metadata.name}`, reason };
    input.report(object, at, "IST0161", args, { object: secret, path: ["metadata", "name"], words: "the Secret" });
  }
}

function reportMissing(input: Input, object: Gateway, namespace: string, { ref, path }: Use): void {
  const [name = ""] = ref.names;
  if (!input.knows("Secret", namespace))
    return input.unknown(`credential ${name}: no Secret of namespace ${namespace} is in the files`);
  const names = input.world.list("Secret", namespace).map(({ metadata }) => metadata.name);
  const close = nearest(name, names);
  const elsewhere = input.world.list("Secret").find(({ metadata }) => metadata.name === name)?.metadata.namespace;
  const where =
    close !== undefined
      ? `Did you mean ${close}?`
      : elsewhere === undefined
        ? `Create it in namespace ${namespace}, where the gateway's pods are.`
        : `It is in namespace ${elsewhere}; the gateway's pods read Secrets of ${namespace}.`;
  input.report(object, path, "IST0101", { what: ref.field, name, where });
}
