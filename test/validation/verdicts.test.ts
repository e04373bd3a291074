import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { validate } from "../../src/commands/validate.ts";
import { admit } from "../../src/controlplane/admission.ts";
import { createBodies } from "../../src/controlplane/bodies.ts";
import { answering, type Listening, listen } from "../../src/controlplane/http.ts";
import { answerWebhook } from "../../src/controlplane/webhook.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeIo } from "../support/fake-io.ts";
import { validationCases } from "../support/validation-cases.ts";

// One object, two doors: the command line and the webhook of the control plane say the same of it, in the same words.

let server: Listening;
beforeAll(async () => {
  const deps = {
    bodies: createBodies(),
    inject: () => ({ allowed: true }),
    validate: (asked: Parameters<typeof admit>[0]) => admit(asked, { raw: {} }),
    onResult: () => {},
  };
  const handler = answering(
    (request, url) => answerWebhook(deps, request, url),
    (fault) => {
      throw fault;
    },
  );
  server = await listen(createServer(handler), { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server?.close();
});

interface Verdict {
  readonly refused: boolean;
  readonly codes: readonly string[];
}

async function byCommand(object: KubeObject): Promise<Verdict> {
  const io = fakeIo({ stdin: JSON.stringify(object) });
  const { exitCode, findings } = await validate({ names: ["-"], namespace: "default", outputs: [] }, io);
  return { refused: exitCode !== 0, codes: findings.map(({ code }) => code).toSorted() };
}

async function byWebhook(object: KubeObject): Promise<Verdict> {
  const review = {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { uid: "u", operation: "CREATE", name: object.metadata.name, namespace: "default", object },
  };
  const answer = await fetch(`http://127.0.0.1:${server.port}/validate`, {
    method: "POST",
    body: JSON.stringify(review),
  });
  const { response } = (await answer.json()) as {
    response: {
      allowed: boolean;
      status?: { message: string; details: { causes: readonly { field: string }[] } };
      warnings?: string[];
    };
  };
  for (const { field } of response.status?.details.causes ?? []) expect(field).toMatch(/^(?:spec|metadata)/);
  const said = `${response.status?.message ?? ""} ${(response.warnings ?? []).join(" ")}`;
  return {
    refused: !response.allowed,
    codes: [...said.matchAll(/\[(\w{3}\d{4})\]/g)].map(([, code = ""]) => code).toSorted(),
  };
}

test.each(validationCases())("$kind/$bucket/$name", async ({ objects, bucket }) => {
  for (const object of objects) {
    const [command, webhook] = await Promise.all([byCommand(object), byWebhook(object)]);
    expect({ object, ...webhook }).toEqual({ object, ...command });
    expect(webhook.refused).toBe(bucket === "invalid");
  }
});
