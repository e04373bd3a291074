import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { PEER_KEYS, type PeerLabels } from "../../src/base/peer.ts";
import { createAudit } from "../../src/controlplane/audit.ts";
import type { Caller } from "../../src/controlplane/caller.ts";
import type { AdmissionRequest } from "../../src/controlplane/webhook.ts";
import { createRoot, signWorkload } from "../../src/pki/ca.ts";
import { createCsr } from "../../src/pki/create-csr.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { recordingLogger } from "../support/controlplane/recorder.ts";

const schema = JSON.parse(readFileSync("schemas/log/audit-event.schema.json", "utf8")) as object;
const isEvent = new Ajv({ strict: false }).compile(schema);

/** An audit whose lines are read here; each holds to the schema. */
function audit() {
  const log = recordingLogger();
  const events = () => {
    for (const { fields } of log.lines) expect(isEvent(fields), JSON.stringify(isEvent.errors)).toBe(true);
    return log.lines.map(({ fields }) => fields);
  };
  return { ...createAudit(log), events };
}

const peer = { address: "10.0.0.1:4711", certificate: undefined, bearer: "head.body.signature" };
const identity = { trustDomain: "cluster.local", namespace: "shop", serviceAccount: "web" };
const caller: Caller = { identity, podUid: "u-1", podName: "web-1", expiresAt: undefined, by: "token" };

test("a certificate: who got it, until when, and nothing of key or token", async () => {
  const validity = { notBefore: new Date("2026-01-01T00:00:00Z"), notAfter: new Date("2027-01-01T00:00:00Z") };
  const labels = Object.fromEntries(PEER_KEYS.map((key) => [key, key])) as PeerLabels;
  const root = await createRoot("cluster.local", validity);
  const { csr } = await createCsr();
  const certificate = await signWorkload(root, csr, { identity, peer: labels }, validity);
  const { signed, events } = audit();
  signed("issued", { peer, caller, certificate });
  expect(events()).toEqual([
    {
      audit: "certificate",
      outcome: "issued",
      address: "10.0.0.1:4711",
      identity: "spiffe://cluster.local/ns/shop/sa/web",
      by: "token",
      pod: "web-1",
      podUid: "u-1",
      serial: expect.stringMatching(/^[0-9A-F]+$/) as string,
      notBefore: "2026-01-01T00:00:00.000Z",
      notAfter: "2027-01-01T00:00:00.000Z",
    },
  ]);
  expect(JSON.stringify(events())).not.toMatch(/signature|BEGIN/);
});

test("refusals are told, but one client does not fill the log with them", () => {
  const { signed, events } = audit();
  for (let times = 0; times < 10_000; times += 1) signed("limited", { peer, reason: "too many" });
  signed("unauthenticated", { peer: { ...peer, address: "10.0.0.2:4712" }, reason: "nobody" });
  expect(events()).toHaveLength(21);
  expect(events().at(-1)).toEqual({
    audit: "certificate",
    outcome: "unauthenticated",
    address: "10.0.0.2:4712",
    reason: "nobody",
  });
});

const policy = (spec: object, labels?: Record<string, string>): KubeObject => ({
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { name: "web", namespace: "shop", ...(labels === undefined ? {} : { labels }) },
  spec,
});

const review: AdmissionRequest = {
  uid: "r-1",
  operation: "UPDATE",
  name: "web",
  namespace: "shop",
  userInfo: { username: "alice", groups: ["admins"] },
  oldObject: policy({ action: "ALLOW", rules: [{}] }),
  object: policy({ action: "ALLOW", rules: [] }, { team: "a" }),
};

test("a policy: who changed it, and which fields; no values", () => {
  const { reviewed, events } = audit();
  reviewed(review, { allowed: true }, "10.0.0.9");
  reviewed({ ...review, operation: "DELETE", object: null }, { allowed: true }, "10.0.0.9");
  reviewed({ ...review, uid: "r-2", dryRun: true, userInfo: {} }, { allowed: false, message: "no" }, "10.0.0.9");
  const common = { audit: "policy", apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy" };
  const where = {
    namespace: "shop",
    name: "web",
    user: "alice",
    groups: ["admins"],
    dryRun: false,
    request: "r-1",
    address: "10.0.0.9",
  };
  expect(events()).toEqual([
    { ...common, ...where, outcome: "allowed", operation: "UPDATE", changed: ["spec.rules", "metadata.labels.team"] },
    { ...common, ...where, outcome: "allowed", operation: "DELETE", changed: ["spec.action", "spec.rules"] },
    {
      ...common,
      ...where,
      outcome: "refused",
      operation: "UPDATE",
      changed: ["spec.rules", "metadata.labels.team"],
      dryRun: true,
      request: "r-2",
      user: "",
      groups: [],
      reason: "no",
    },
  ]);
});

test("a deletion: what is gone", () => {
  const { deleted, events } = audit();
  deleted(policy({ rules: [] }));
  const object = { apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", namespace: "shop", name: "web" };
  expect(events()).toEqual([{ audit: "deletion", ...object }]);
});
