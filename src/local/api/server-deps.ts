import type { Access } from "./access.ts";
import type { Core } from "./core.ts";
import type { Authorizer } from "./rbac.ts";
import type { Tokens } from "./tokens.ts";
import type { ApiOptions, PodBackend } from "./types.ts";

/** What requests are answered from. */
export interface ServerDeps {
  readonly core: Core;
  readonly access: Access;
  readonly tokens: Tokens;
  readonly authorizer: Authorizer;
  readonly listen: ApiOptions["listen"];
  readonly backend: () => PodBackend | undefined;
}
