/** `TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT` has this many parts; a principal of another form names no trust domain. */
const PARTS = 5;

/** Written in a policy it means the own trust domain, whatever that is called. */
const LOCAL = "cluster.local";

/**
 * Principals of policies, each also under the mesh's other trust domains when it names one of them: so that a policy holds
 * through a change of the trust domain. `domains` are the own one and its aliases. A trust domain of somebody else stays.
 */
export function withAliases(principals: readonly string[], domains: readonly string[]): readonly string[] {
  const all = principals.flatMap((principal) => {
    const [domain = "", ...rest] = principal.split("/");
    if (rest.length !== PARTS - 1 || domain === "*" || !isOurs(domain, domains)) return [principal];
    return domains.map((own) => (endsLike(own, domain) ? principal : [own, ...rest].join("/")));
  });
  return [...new Set(all)];
}

/** Trust domains of a condition, each of ours with all aliases. */
export function domainsWithAliases(values: readonly string[], domains: readonly string[]): readonly string[] {
  return [...new Set(values.flatMap((value) => (domains.includes(value) ? domains : [value])))];
}

function isOurs(domain: string, domains: readonly string[]): boolean {
  return domain === LOCAL || domains.some((own) => own === domain || endsLike(own, domain) || startsLike(own, domain));
}

function endsLike(own: string, pattern: string): boolean {
  return pattern.startsWith("*") && own.endsWith(pattern.slice(1));
}

function startsLike(own: string, pattern: string): boolean {
  return pattern.endsWith("*") && own.startsWith(pattern.slice(0, -1));
}
