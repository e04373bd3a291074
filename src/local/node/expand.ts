/**
 * Replaces `$(NAME)` by the variable's value, as Kubernetes does in command, args and env values: an unknown name stays as it
 * stands, `$$` is one dollar sign.
 */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (match, name: string | undefined) =>
    match === "$$" ? "$" : (variables.get(name ?? "") ?? match),
  );
}
