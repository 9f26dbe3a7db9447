// The page behind the panel while it fills a small screen: it takes neither focus nor clicks.

/** Returns a function that makes everything beside `host` inert, or active again. */
export function pageBehind(host: Element): (isInert: boolean) => void {
  const parts: HTMLElement[] = [];
  return (isInert) => {
    for (const part of parts.splice(0)) part.inert = false;
    for (let node: Element | null = isInert ? host : null; node; node = node.parentElement) {
      for (const part of (node.parentElement?.children ?? []) as Iterable<HTMLElement>) if (part !== node && part.inert === false) parts.push(part);
    }
    for (const part of parts) part.inert = true;
  };
}
