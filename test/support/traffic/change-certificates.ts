import { createRoot, issueServing } from "../../../src/pki/ca.ts";

const DAY_MS = 24 * 3_600_000;

/** Two serving certificates with their keys, for Secrets: CERT_ONE, KEY_ONE, CERT_TWO, KEY_TWO in base64, named one and two.example.com. */
export async function changeCertificates(): Promise<Readonly<Record<string, string>>> {
  const now = Date.now();
  const validity = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + DAY_MS) };
  const ca = await createRoot("test", validity);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const made = await Promise.all(
    ["one", "two"].map(async (name) => {
      const { certificate, key } = await issueServing(ca, { dns: [`${name}.example.com`] }, validity);
      const word = name.toUpperCase();
      return { [`CERT_${word}`]: base64(certificate), [`KEY_${word}`]: base64(key.pem()) };
    }),
  );
  return Object.assign({}, ...made) as Readonly<Record<string, string>>;
}
