import { MeshError } from "../base/errors.ts";
import { readCsr } from "./csr.ts";
import { type Identity, spiffeId } from "./spiffe.ts";
import { SubjectAlternativeNameExtension } from "./x509.ts";

/**
 * Checks a request that somebody else is to sign as it stands: its key and signature, and that it names this identity and
 * nothing else. Throws MeshError `bad-csr` or `weak-key`.
 */
export async function checkNamedCsr(pem: string, identity: Identity): Promise<void> {
  const request = await readCsr(pem);
  const names = request.extensions
    .filter((extension) => extension instanceof SubjectAlternativeNameExtension)
    .flatMap(({ names: { items } }) => items);
  const [name] = names;
  const wanted = spiffeId(identity);
  if (names.length === 1 && name?.type === "url" && name.value === wanted && request.subject === "") return;
  const got = names.map(({ value }) => value).join(", ");
  throw new MeshError(
    "bad-csr",
    `the certificate request is refused: expected an empty subject and ${wanted} as its only name, got "${request.subject}" and ${got === "" ? "no name" : got}`,
    { hint: "an external signer signs what the request says, so it must say who the caller is" },
  );
}
