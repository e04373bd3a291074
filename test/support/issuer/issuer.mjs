// An issuer of workload certificates as a program of its own, which shares no code with the mesh: it has its own root, speaks
// istio.v1.auth.IstioCertificateService, and judges requests as cert-manager's istio-csr does: a token that the API server reviews says
// who asks, and the request has to name exactly that identity. Forked with { folder, kubernetes: { url, ca, token }, accounts }: writes the
// control plane's certificate into the folder as a mounted Secret would be, then tells { port, root }; each certificate given is told too.
import { webcrypto } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);
const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const RSA = { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: Buffer.from([1, 0, 1]), hash: "SHA-256" };
const { KeyUsageFlags } = x509;
const HOUR = 3_600_000;
let serial = 1;

const pair = (algorithm) => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
const within = (ms) => ({ notBefore: new Date(), notAfter: new Date(Date.now() + ms) });
const nextSerial = () => (++serial).toString(16).padStart(8, "0");

async function authority(name, above) {
  const keys = await pair(above === undefined ? RSA : EC);
  const made = {
    serialNumber: nextSerial(),
    subject: `CN=${name}, O=another issuer`,
    issuer: (above?.certificate ?? { subject: `CN=${name}, O=another issuer` }).subject,
    ...within(48 * HOUR),
    publicKey: keys.publicKey,
    signingKey: (above?.keys ?? keys).privateKey,
    signingAlgorithm: above === undefined ? RSA : above.algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign + KeyUsageFlags.cRLSign, true),
    ],
  };
  const certificate = await x509.X509CertificateGenerator.create(made);
  return { keys, certificate, algorithm: above === undefined ? RSA : EC };
}

const root = await authority("root");
const signer = await authority("signer", root);

/** A certificate with these names, below the intermediate; PEM, the leaf first. */
async function issue(publicKey, names, ms) {
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: nextSerial(),
    issuer: signer.certificate.subject,
    ...within(ms),
    publicKey,
    signingKey: signer.keys.privateKey,
    signingAlgorithm: EC,
    extensions: [
      new x509.SubjectAlternativeNameExtension(names, true),
      new x509.ExtendedKeyUsageExtension(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]),
    ],
  });
  return [leaf.toString("pem"), signer.certificate.toString("pem")];
}

async function own(names) {
  const keys = await pair(EC);
  const chain = await issue(keys.publicKey, names, 24 * HOUR);
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const pem = `-----BEGIN PRIVATE KEY-----\n${key.match(/.{1,64}/g).join("\n")}\n-----END PRIVATE KEY-----\n`;
  return { chain: chain.join("\n"), key: pem };
}

/** `system:serviceaccount:NS:NAME` of a token for audience istio-ca; undefined: it is nobody's. */
function reviewed({ url, ca, token: ours }, token) {
  const body = JSON.stringify({
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenReview",
    spec: { token, audiences: ["istio-ca"] },
  });
  const headers = { authorization: `Bearer ${ours}`, "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const call = request(
      `${url}/apis/authentication.k8s.io/v1/tokenreviews`,
      { method: "POST", ca, headers },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part) => (text += part));
        answer.on("end", () => {
          const { status: found = {} } = JSON.parse(text);
          resolve(found.authenticated === true ? found.user.username : undefined);
        });
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

function refusal(code, details) {
  return Object.assign(new Error(details), { code, details });
}

/** The identity of whoever has the call's token. */
async function callerOf(kubernetes, call) {
  const token = /^Bearer (.+)$/.exec(String(call.metadata.get("authorization")[0] ?? ""))?.[1];
  const user = token === undefined ? "" : await reviewed(kubernetes, token);
  const found = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user ?? "");
  if (found === null) throw refusal(status.UNAUTHENTICATED, "no token that the API server knows");
  return `spiffe://cluster.local/ns/${found[1]}/sa/${found[2]}`;
}

async function certificateFor({ kubernetes, ttl }, call) {
  const wanted = await callerOf(kubernetes, call);
  const { csr: text, seconds } = call.request;
  const csr = new x509.Pkcs10CertificateRequest(text);
  const alternative = csr.extensions.find((extension) => extension instanceof x509.SubjectAlternativeNameExtension);
  const names = alternative?.names.toJSON() ?? [];
  if (!(await csr.verify()) || names.length !== 1 || names[0].type !== "url" || names[0].value !== wanted)
    throw refusal(status.PERMISSION_DENIED, `the request has to name ${wanted} and nothing else`);
  const publicKey = await csr.publicKey.export(EC, ["verify"]);
  const chain = await issue(publicKey, names, Math.min(ttl ?? seconds, seconds) * 1000);
  process.send({ issued: wanted });
  return [...chain, root.certificate.toString("pem")];
}

// csr is field 1, validity_duration field 3 of the request; cert_chain is field 1 of the answer.
function decodeRequest(bytes) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  const found = { csr: "", seconds: 3600 };
  while (at < bytes.length) {
    const tag = varint();
    if (tag % 8 === 0) {
      const value = varint();
      if (tag >> 3 === 3) found.seconds = value;
    } else {
      const length = varint();
      if (tag >> 3 === 1) found.csr = bytes.subarray(at, at + length).toString();
      at += length;
    }
  }
  return found;
}

function encodeAnswer(chain) {
  const length = (size) => (size < 128 ? [size] : [(size % 128) + 128, ...length(Math.floor(size / 128))]);
  return Buffer.concat(
    chain.flatMap((pem) => [Buffer.from([10, ...length(Buffer.byteLength(pem))]), Buffer.from(pem)]),
  );
}

const METHOD = {
  path: "/istio.v1.auth.IstioCertificateService/CreateCertificate",
  requestStream: false,
  responseStream: false,
  requestDeserialize: decodeRequest,
  requestSerialize: (bytes) => Buffer.from(bytes),
  responseSerialize: encodeAnswer,
  responseDeserialize: (bytes) => Buffer.from(bytes),
};

process.once("message", (settings) => void serve(settings));

async function serve(settings) {
  const { folder, issuerName, controlPlane } = settings;
  const shown = await own([{ type: "dns", value: issuerName }]);
  const plane = await own(controlPlane.map((value) => ({ type: "dns", value })));
  for (const name of ["tls", "ca"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "tls/tls.crt"), plane.chain);
  writeFileSync(join(folder, "tls/tls.key"), plane.key);
  writeFileSync(join(folder, "ca/root-cert.pem"), root.certificate.toString("pem"));
  const server = new Server();
  server.addService(
    { createCertificate: METHOD },
    {
      createCertificate: (call, answer) =>
        void certificateFor(settings, call).then(
          (chain) => answer(null, chain),
          (error) => answer(error.code === undefined ? refusal(status.INTERNAL, String(error)) : error),
        ),
    },
  );
  const credentials = ServerCredentials.createSsl(null, [
    { cert_chain: Buffer.from(shown.chain), private_key: Buffer.from(shown.key) },
  ]);
  server.bindAsync("127.0.0.1:0", credentials, (error, port) => {
    if (error !== null) throw error;
    process.send({ port, root: root.certificate.toString("pem") });
  });
}
process.on("disconnect", () => process.exit());
