import { extensionProvider } from "../../model/extension-providers.ts";
import type { Facts, Guess, Hypothesis } from "../types.ts";
import { logged, object, refNamed, refTo } from "../words.ts";
import { patchThatSays } from "./patches.ts";

/** A body that the proxy holds back whole is larger than it may (413): for an external authorizer, or by a patch. */
export const tooLarge: Hypothesis = {
  name: "bodies that are too large",
  codes: ["body-too-large"],
  guess(facts) {
    const { symptom } = facts;
    if (symptom.details !== "request_payload_too_large") return [];
    const byPolicy = facts.policies
      .filter(({ action, matches }) => action === "CUSTOM" && matches)
      .flatMap(({ policy }) => authorizerThatReads(facts, policy));
    return byPolicy.length > 0 ? byPolicy : byPatch(facts);
  },
};

function authorizerThatReads(facts: Facts, policy: string): readonly Guess[] {
  const ref = refNamed(policy);
  const { model } = facts;
  const name = model.world.get("AuthorizationPolicy", ref.namespace, ref.name)?.spec?.provider?.name ?? "";
  const limit = extensionProvider(model.meshConfig(), name)?.settings["includeRequestBodyInCheck"] as
    | { readonly maxRequestBytes?: number; readonly allowPartialMessage?: boolean }
    | undefined;
  if (limit === undefined || limit.allowPartialMessage === true) return [];
  const most = limit.maxRequestBytes === undefined ? "it may" : `${limit.maxRequestBytes} bytes`;
  const source = object(ref, `its provider ${name} has includeRequestBodyInCheck ${JSON.stringify(limit)}`);
  return [
    {
      code: "body-too-large",
      object: ref,
      field: "spec.provider.name",
      says: `it asks provider ${name}, which is sent the whole body, and the body has more than ${most}`,
      evidence: [logged(facts), source],
      fix: `Raise maxRequestBytes of provider ${name} in the mesh configuration, or set allowPartialMessage.`,
      weight: 93,
    },
  ];
}

/** A filter that somebody patched in, which holds bodies back. */
function byPatch(facts: Facts): readonly Guess[] {
  const filter = patchThatSays(facts, (texts) =>
    texts.some((text) => /^(max_request_bytes|per_connection_buffer_limit_bytes)$/.test(text)),
  );
  if (filter === undefined) return [];
  const ref = refTo(filter);
  return [
    {
      code: "body-too-large",
      object: ref,
      field: "spec.configPatches",
      says: "it limits how many bytes of a request a proxy holds, and the body has more",
      evidence: [logged(facts), object(ref, "its patches set a limit in bytes")],
      fix: "Raise the limit, or take the patch away.",
      weight: 88,
    },
  ];
}
