import type { KubeObject } from "../../../src/resources/object.ts";
import type { AuditedRequest } from "../kube/apiserver.ts";

/** One thing that a role allows. */
export interface Grant {
  readonly group: string;
  /** `pods`, `virtualservices/status`; a star stands for every kind of the group */
  readonly resource: string;
  readonly verb: string;
  /** Undefined: any object. */
  readonly name: string | undefined;
  /** Undefined: in every namespace. */
  readonly namespace: string | undefined;
}

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Every grant of these ClusterRoles and Roles, one by one. */
export function grantsOf(roles: readonly KubeObject[]): readonly Grant[] {
  return roles.flatMap((role) => {
    const namespace = role.kind === "Role" ? role.metadata.namespace : undefined;
    return (role["rules"] as readonly Rule[]).flatMap(
      ({ apiGroups = [], resources = [], resourceNames = [undefined], verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) =>
            verbs.flatMap((verb) => resourceNames.map((name): Grant => ({ group, resource, verb, name, namespace }))),
          ),
        ),
    );
  });
}

/** `update admissionregistration.k8s.io/webhooks istio-x in istio-system` */
export function grantText({ verb, group, resource, name, namespace }: Grant): string {
  const what = `${verb} ${group === "" ? "" : `${group}/`}${resource}`;
  return `${what}${name === undefined ? "" : ` ${name}`}${namespace === undefined ? "" : ` in ${namespace}`}`;
}

/** Grants that no request needed. A request needs the narrowest grant that allows it. */
export function unusedGrants(grants: readonly Grant[], requests: readonly AuditedRequest[]): readonly Grant[] {
  const used = new Set(
    requests.flatMap(asked).flatMap((request) => {
      const [narrowest] = grants.filter((grant) => allows(grant, request)).sort((a, b) => width(a) - width(b));
      return narrowest === undefined ? [] : [narrowest];
    }),
  );
  return grants.filter((grant) => !used.has(grant));
}

/** An apply that makes what was not there needs leave for both. */
function asked(request: AuditedRequest): readonly AuditedRequest[] {
  const made = request.verb === "patch" && request.responseStatus?.code === 201;
  return made ? [request, { ...request, verb: "create" }] : [request];
}

function width({ name, namespace, resource }: Grant): number {
  return (name === undefined ? 4 : 0) + (namespace === undefined ? 2 : 0) + (resource.startsWith("*") ? 1 : 0);
}

function allows(grant: Grant, { verb, objectRef, requestURI }: AuditedRequest): boolean {
  if (objectRef === undefined || verb !== grant.verb || (objectRef.apiGroup ?? "") !== grant.group) return false;
  // a list or watch of one name says so in its field selector
  const selected = /[?&]fieldSelector=metadata\.name(?:=|%3D)([^&]*)/.exec(requestURI)?.[1];
  const name = objectRef.name ?? selected;
  return (
    isResource(grant.resource, objectRef) &&
    (grant.name === undefined || grant.name === name) &&
    (grant.namespace === undefined || grant.namespace === objectRef.namespace)
  );
}

function isResource(granted: string, { resource, subresource }: NonNullable<AuditedRequest["objectRef"]>): boolean {
  if (subresource === undefined) return granted === resource;
  return granted === `${resource}/${subresource}` || granted === `*/${subresource}`;
}
