import { errorText } from "../base/errors.ts";
import type { Derivations } from "../base/derive.ts";
import type { Logger } from "../base/logger.ts";

/** A service account. */
interface Account {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The cluster that it is of. Default: our own. */
  readonly clusterId?: string | undefined;
}

export interface SecretPermissionsDeps {
  readonly derivations: Derivations;
  /** Whether the account may list the Secrets of its namespace, by the API server. */
  readonly ask: (
    account: { readonly namespace: string; readonly name: string },
    clusterId: string | undefined,
  ) => Promise<boolean>;
  readonly log: Logger;
}

/** Which accounts of sidecars may have Secrets: asked only when a rule names one for them. */
export interface SecretPermissions {
  /** Tracked; undefined while it is not known. */
  of(account: Account): boolean | undefined;
}

/** An answer is asked for anew with the first change of configuration after this time: roles are given and taken. */
const HOLDS_MS = 60_000;

/** When the API server cannot say, the answer is no, until it is asked again. */
export function createSecretPermissions({ derivations, ask, log }: SecretPermissionsDeps): SecretPermissions {
  const answers = new Map<string, { readonly at: number; readonly may: boolean | undefined }>();
  const answered = derivations.external("may have secrets", (key: string) => answers.get(key)?.may);
  const learn = async (key: string, { namespace, serviceAccount: name, clusterId }: Account): Promise<void> => {
    const before = answers.get(key)?.may;
    answers.set(key, { at: Date.now(), may: before });
    const may = await ask({ namespace, name }, clusterId).catch((error: unknown) => {
      log.warn({ account: key, error: errorText(error) }, "cannot find out whether an account may have Secrets");
      return false;
    });
    answers.set(key, { at: Date.now(), may });
    if (may !== before) answered.changed(key);
  };
  return {
    of(account) {
      const key = [account.clusterId, account.namespace, account.serviceAccount].join("/");
      const held = answers.get(key);
      if (held === undefined || Date.now() - held.at > HOLDS_MS) void learn(key, account);
      return answered(key);
    },
  };
}
