import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createRoot, issueServing } from "../../../src/pki/ca.ts";
import type { Loose } from "./rest-client.ts";

/** What a test's webhook says to a review: a patch, a refusal, or nothing (undefined: allowed). */
export type WebhookAnswer = { patch?: unknown[]; denied?: string; warnings?: string[]; delayMs?: number } | undefined;

/** A real HTTPS admission webhook with a certificate of its own CA. */
export interface WebhookServer {
  readonly url: string;
  readonly port: number;
  /** Base64 of the CA's PEM. */
  readonly caBundle: string;
  /** Requests (AdmissionReview.request) in the order they came, with the path under which they came. */
  readonly seen: { readonly path: string; readonly request: Loose }[];
  close(): Promise<void>;
}

/** Starts one on a free loopback port; `answer` decides by path and request. */
export async function startWebhookServer(
  answer: (path: string, request: Loose) => WebhookAnswer,
  names: { dns: readonly string[]; ips?: readonly string[] } = { dns: ["localhost"], ips: ["127.0.0.1"] },
): Promise<WebhookServer> {
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const ca = await createRoot("webhook-test", validity);
  const { certificate, key } = await issueServing(ca, names, validity);
  const seen: { path: string; request: Loose }[] = [];
  const server = createServer({ key: key.pem(), cert: certificate }, (message, response) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.on("end", () => {
      const review = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Loose;
      const path = (message.url ?? "").split("?")[0] ?? "";
      seen.push({ path, request: review.request });
      const { patch, denied, warnings, delayMs } = answer(path, review.request) ?? {};
      const encoded =
        patch === undefined
          ? {}
          : { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") };
      const refusal = denied === undefined ? {} : { status: { message: denied, code: 403 } };
      const said = {
        uid: review.request.uid,
        allowed: denied === undefined,
        ...encoded,
        ...refusal,
        ...(warnings === undefined ? {} : { warnings }),
      };
      const body = JSON.stringify({ apiVersion: review.apiVersion, kind: "AdmissionReview", response: said });
      setTimeout(() => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(body);
      }, delayMs ?? 0);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    caBundle: Buffer.from(ca.certificate).toString("base64"),
    seen,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
