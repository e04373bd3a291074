import { isIP } from "node:net";

/** What a host's `/etc/resolv.conf` says, as far as a proxy of its resolver asks. */
export interface ResolvConf {
  /** Addresses of name servers, in the order written; IPv6 with its zone. */
  readonly servers: readonly string[];
  /** Domains that clients append to short names, lower case, without the last dot. */
  readonly search: readonly string[];
}

/** Reads resolv.conf(5): the last `search` or `domain` line counts; lines that say something else are passed over. */
export function readResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let search: readonly string[] = [];
  for (const line of text.split("\n")) {
    const [keyword = "", ...values] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    const [first = ""] = values;
    if (keyword === "nameserver" && isIP(first) !== 0) servers.push(first);
    if (keyword === "search" || keyword === "domain") {
      search = values.map((value) => value.toLowerCase().replace(/\.$/, "")).filter((value) => value !== "");
    }
  }
  return { servers: [...new Set(servers)], search };
}
