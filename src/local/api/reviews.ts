import type { User } from "./core.ts";
import type { JsonObject } from "./json.ts";
import { asObject, asString, asStrings } from "./json.ts";
import type { AccessQuestion, Authorizer } from "./rbac.ts";
import { badRequest, type Cause, invalid } from "./status.ts";
import type { Tokens } from "./tokens.ts";

/** Answers the kinds that are questions and are not stored. `namespace` counts for LocalSubjectAccessReview. */
export async function answerReview(
  kind: string,
  body: JsonObject,
  asker: { readonly user: User; readonly namespace: string | undefined },
  deps: { readonly authorizer: Authorizer; readonly tokens: Tokens },
): Promise<JsonObject> {
  const spec = asObject(body["spec"]);
  switch (kind) {
    case "TokenReview":
      return { ...body, status: await tokenStatus(spec, deps.tokens) };
    case "SelfSubjectReview":
      return { ...body, status: { userInfo: userInfo(asker.user) } };
    case "SelfSubjectAccessReview":
      checkReview(kind, spec);
      return { ...body, status: accessStatus(asker.user, spec, deps.authorizer) };
    case "SubjectAccessReview":
    case "LocalSubjectAccessReview": {
      const user: User = { username: asString(spec["user"]), groups: asStrings(spec["groups"]) };
      checkReview(kind, spec, { user, namespace: asker.namespace });
      return { ...body, status: accessStatus(user, spec, deps.authorizer) };
    }
    case "SelfSubjectRulesReview":
      return { ...body, status: rulesStatus(deps.authorizer.rulesFor(asker.user, asString(spec["namespace"]))) };
    default:
      throw badRequest(`${kind} is not a review`);
  }
}

/** What a question about access must say, as the real server has it. Throws 422. */
function checkReview(
  kind: string,
  spec: JsonObject,
  about?: { readonly user: User; readonly namespace: string | undefined },
): void {
  const causes: Cause[] = [];
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (about?.user.username === "" && about.user.groups.length === 0)
    causes.push(wrong("spec.user", "at least one of user or group must be specified"));
  if (resource !== undefined && path !== undefined)
    causes.push(wrong("spec.nonResourceAttributes", "cannot be specified in combination with resourceAttributes"));
  if (resource === undefined && path === undefined)
    causes.push(
      wrong("spec.resourceAttributes", "exactly one of nonResourceAttributes or resourceAttributes must be specified"),
    );
  if (kind === "LocalSubjectAccessReview" && asObject(resource)["namespace"] !== about?.namespace)
    causes.push(wrong("spec.resourceAttributes.namespace", "must match metadata.namespace"));
  if (causes.length > 0) throw invalid({ group: "authorization.k8s.io", resource: kind, name: "" }, causes);
}

function wrong(field: string, words: string): Cause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${words}`, field };
}

async function tokenStatus(spec: JsonObject, tokens: Tokens): Promise<JsonObject> {
  const reviewed = await tokens.review(asString(spec["token"]), asStrings(spec["audiences"]));
  if (reviewed === undefined) {
    return { user: {}, error: "[invalid bearer token, the token is not valid for this cluster or audience]" };
  }
  return { authenticated: true, user: userInfo(reviewed.user), audiences: reviewed.audiences };
}

function userInfo({ username, uid, groups, extra }: User): JsonObject {
  return { username, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function accessStatus(user: User, spec: JsonObject, authorizer: Authorizer): JsonObject {
  const resource = asObject(spec["resourceAttributes"]);
  const path = asObject(spec["nonResourceAttributes"]);
  const question: AccessQuestion =
    spec["nonResourceAttributes"] === undefined
      ? {
          verb: asString(resource["verb"]),
          group: asString(resource["group"]),
          resource: asString(resource["resource"]),
          subresource: text(resource["subresource"]),
          namespace: text(resource["namespace"]),
          name: text(resource["name"]),
        }
      : { verb: asString(path["verb"]), path: asString(path["path"]) };
  return { allowed: authorizer.allows(user, question) };
}

function rulesStatus(rules: readonly JsonObject[]): JsonObject {
  return {
    resourceRules: rules.filter((rule) => rule["resources"] !== undefined),
    nonResourceRules: rules.filter((rule) => rule["nonResourceURLs"] !== undefined),
    incomplete: false,
  };
}
