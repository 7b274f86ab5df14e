/** Events of the mock: one stream for all tabs of a browser, or one for the visible tab. */

import { root, token } from "./api.js";

/**
 * Call `receive` with each event, and with {event: "connected"} and {event: "lost"}.
 * @returns a function that ends it
 */
export function listen(receive) {
  if (typeof SharedWorker === "function") {
    const worker = new SharedWorker(new URL("./feed-worker.js", import.meta.url), { type: "module" });
    worker.port.onmessage = ({ data }) => receive(data);
    worker.port.postMessage({ root, token: token.get() });
    const leave = () => worker.port.postMessage("leave");
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("pagehide", leave);
      leave();
    };
  }
  return listenWhileVisible(receive);
}

function listenWhileVisible(receive) {
  let ended = null;
  const look = async () => {
    if (document.hidden) {
      ended?.abort();
      ended = null;
    } else if (ended === null) {
      ended = new AbortController();
      const { follow } = await import("./stream.js");
      follow({ root, token: token.get() }, receive, ended.signal);
    }
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    ended?.abort();
  };
}
