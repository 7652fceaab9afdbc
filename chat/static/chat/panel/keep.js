/**
 * Where the visitor's session is kept: in this browser for our origin, and where a browser refuses that to a frame of
 * another site (private windows do), by the launcher on the host page's own origin. Never in a cookie.
 */

import { memoryArea, openStore, permittedArea } from "../../ui/store.js";

export async function visitorStore(bridge) {
  const own = permittedArea();
  if (own) return openStore(own);
  const kept = new Map(Object.entries(await bridge.kept()));
  bridge.onKept = (values) => {
    kept.clear();
    for (const [key, value] of Object.entries(values)) kept.set(key, value);
  };
  return openStore(memoryArea(kept, (values) => bridge.tell("keep", { values: Object.fromEntries(values) })));
}
