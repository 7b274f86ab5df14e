/** Shared by all tabs of a browser: one stream of events for each address and token. */

import { follow } from "./stream.js";

/** Address and token -> the ports that listen, and how to end the stream. */
const streams = new Map();

/** @param {MessageEvent} event */
const connect = ({ ports: [port] }) => {
  let leave = () => {};
  port.onmessage = ({ data }) => {
    leave();
    leave = data === "leave" ? () => {} : join(data, port);
  };
};
Object.assign(self, { onconnect: connect });

function join(source, port) {
  const key = JSON.stringify(source);
  let stream = streams.get(key);
  if (stream === undefined) {
    const found = { ports: new Set(), ended: new AbortController(), state: null };
    streams.set(key, (stream = found));
    const receive = (event) => {
      if (event.event === "connected" || event.event === "lost") found.state = event;
      for (const each of found.ports) each.postMessage(event);
    };
    follow(source, receive, found.ended.signal);
  }
  const joined = stream;
  joined.ports.add(port);
  if (joined.state) port.postMessage(joined.state);
  return () => {
    joined.ports.delete(port);
    if (joined.ports.size === 0) {
      joined.ended.abort();
      streams.delete(key);
    }
  };
}
