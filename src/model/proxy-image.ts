/** What the installation says about the proxy's image: `global` of the injector's values. */
export interface ProxyImageValues {
  readonly hub: string;
  readonly tag: string | number;
  readonly variant?: string | undefined;
  readonly proxy: { readonly image: string };
}

const VARIANTS = /-(distroless|debug)$/;

/**
 * Name of the proxy's image. `image` and `variant` are what a pod asks for on top of the installation's values; an image with a slash is a
 * whole name already. A variant replaces the one that the tag ends with.
 */
export function proxyImageName(
  global: ProxyImageValues,
  asked: { readonly image?: string | undefined; readonly variant?: string | undefined } = {},
): string {
  const image = asked.image ?? global.proxy.image;
  if (image.includes("/")) return image;
  const variant = asked.variant ?? global.variant ?? "";
  const tag = variant === "" ? String(global.tag) : String(global.tag).replace(VARIANTS, "");
  return `${global.hub}/${image}:${tag}${variant === "" || variant === "default" ? "" : `-${variant}`}`;
}
