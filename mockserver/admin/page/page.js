/** The page: its address, the sandbox, the token, and the view that the address names. */

import { call, ownSandbox, root, token } from "./api.js";
import { Clock } from "./clock.js";
import { Coverage } from "./coverage.js";
import { Data } from "./data.js";
import { Faults } from "./faults.js";
import { listen } from "./feed.js";
import { Copy, Line, Page } from "./parts.js";
import { html, render, useEffect, useMemo, useRef, useState } from "./preact-htm.js";
import { Queue } from "./queue.js";
import { Requests } from "./requests.js";
import { Sandboxes } from "./sandboxes.js";
import { State } from "./state.js";

const VIEWS = {
  requests: ["Requests", Requests],
  queue: ["Queue", Queue],
  data: ["Data", Data],
  state: ["State", State],
  clock: ["Clock", Clock],
  faults: ["Faults", Faults],
  sandboxes: ["Sandboxes", Sandboxes],
  coverage: ["Coverage", Coverage],
};
const MOST_EVENTS = 5000;
const PREFLIGHTS = "freddy-mock-preflights";
const MOST_PREFLIGHTS = 50;
const QUIET = new Set(["heartbeat", "begun", "exchange", "connected", "lost", "dropped", "preflight"]);

/** Preflights that this tab has seen before it was loaded again: the journal has none. */
const earlier = () => JSON.parse(sessionStorage.getItem(PREFLIGHTS) ?? "[]");

/** Keeps a preflight for when this tab is loaded again. */
function keep(event) {
  sessionStorage.setItem(PREFLIGHTS, JSON.stringify([...earlier(), { ...event, place: 0 }].slice(-MOST_PREFLIGHTS)));
}

/** View and parameters of the address. */
function parsed() {
  const [view, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { view: view in VIEWS ? view : "requests", params: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

function Foot({ told, close, open }) {
  if (told === null) return null;
  return html`<footer role="status" class=${told.failed ? "failed" : ""}>
    <span>${told.text}</span>
    ${told.curl && html`<code>${told.curl}</code><${Copy} label="Copy curl" text=${told.curl} />`}
    ${told.more && html`<button type="button" onClick=${() => open(told.more)}>${told.more.label}</button>`}
    <button type="button" onClick=${close}>Close</button>
  </footer>`;
}

function Token({ done }) {
  const send = ({ value }) => {
    token.set(value.trim());
    done();
  };
  return html`<section class="token"><h2>Token</h2>
    <p>The control API of this mock needs a token. The mock prints it when it starts; it is kept in this tab only.</p>
    <${Line} label="Token" button="Use it" send=${send}>
      <label>Token <input name="value" type="password" autocomplete="off" required /></label>
    <//>
  </section>`;
}

function App() {
  const [where, setWhere] = useState(parsed);
  const [told, tell] = useState(null);
  const [asks, setAsks] = useState(false);
  const [feed, setFeed] = useState({ connected: null, changes: 0, writes: 0, version: 0 });
  const events = useRef(null);
  events.current ??= earlier();
  const counted = useRef(0);
  const seen = useRef(new Set()); // sandboxes that existed
  const kept = useRef({}); // choices of Data
  const sandbox = where.params.sandbox ?? ownSandbox;

  useEffect(() => {
    const moved = () =>
      setWhere((old) => {
        const now = parsed();
        if (now.view !== old.view || now.params.sandbox !== old.params.sandbox) tell(null);
        return now;
      });
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);

  useEffect(() => {
    if (asks) return undefined;
    let pending = false;
    let changed = false;
    let written = false;
    let connected = null;
    let over = false;
    const flush = () => {
      pending = false;
      const [changes, writes] = [changed ? 1 : 0, written ? 1 : 0];
      changed = written = false;
      setFeed((old) => ({ connected, changes: old.changes + changes, writes: old.writes + writes, version: old.version + 1 }));
    };
    const receive = (event) => {
      if (over) return; // such as the refusal of a stream that had no token yet
      if (event.event === "connected" || event.event === "lost") {
        changed = changed || event.event === "connected"; // what came before the stream is in the journal alone
        connected = event.event === "connected";
        if (event.status === 401) setAsks(true);
      } else if (event.event !== "heartbeat") {
        counted.current += 1;
        events.current.push({ wall: new Date().toISOString(), ...event, place: counted.current });
        if (events.current.length > MOST_EVENTS) events.current.splice(0, events.current.length - MOST_EVENTS);
        if (event.event === "preflight") keep(event);
        changed = changed || !QUIET.has(event.event);
        written = written || changed || (event.event === "exchange" && (event.method !== "GET" || event.fault !== null));
      }
      if (!pending) {
        pending = true;
        setTimeout(flush, 200);
      }
    };
    const leave = listen(receive);
    return () => {
      over = true;
      leave();
    };
  }, [asks]);

  const page = useMemo(() => {
    const go = (params, view = where.view) => {
      const wanted = { ...where.params, ...params };
      const left = Object.entries(wanted).filter(([, value]) => value !== null && value !== "");
      location.hash = `#/${view}?${new URLSearchParams(left)}`;
    };
    return { sandbox, params: where.params, go, tell, ask: () => setAsks(true), events: events.current, place: counted.current, ...feed };
  }, [where, sandbox, feed]);

  const names = useNames(page);
  for (const name of names ?? []) seen.current.add(name);
  if (where.view === "data") kept.current = { kind: where.params.kind, search: where.params.search };
  const link = (name) => {
    const wanted = { sandbox: where.params.sandbox, ...(name === "data" ? kept.current : {}) };
    const params = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value)).toString();
    return `#/${name}${params && `?${params}`}`;
  };
  const [, View] = VIEWS[where.view];
  return html`<${Page.Provider} value=${page}>
    <header>
      <h1>Freddy mock</h1>
      <nav aria-label="Views">
        ${Object.entries(VIEWS).map(
          ([name, [title]]) =>
            html`<a href=${link(name)} aria-current=${name === where.view ? "page" : undefined}>${title}</a>`,
        )}
        <a href=${sandbox === "default" ? `${root}__admin/docs` : `${root}__sandbox/${encodeURIComponent(sandbox)}/__admin/docs`} target="_blank">Try it</a>
      </nav>
      <${SandboxChoice} page=${page} names=${names} />
      <span class="feed ${feed.connected === false ? "failed" : ""}" role="status">
        ${feed.connected === false ? "The mock does not answer; trying again." : feed.connected ? "live" : "connecting"}
      </span>
    </header>
    <main>${names && !names.includes(sandbox) && html`<p class="banner" role="alert">Sandbox ${sandbox} ${seen.current.has(sandbox) ? "no longer exists" : "does not exist"}.${" "}
      <button type="button" onClick=${() => page.go({ sandbox: "default", id: null })}>Go to default</button></p>`}
      ${asks ? html`<${Token} done=${() => setAsks(false)} />` : html`<${View} key=${`${where.view} ${sandbox}`} />`}</main>
    <${Foot} told=${told} close=${() => tell(null)} open=${({ params, view }) => page.go(params, view)} />
  <//>`;
}

/** Names of the sandboxes, or null; read again after each change, and where the one of the page is not among them. */
function useNames(page) {
  const [names, setNames] = useState(null);
  const missing = names !== null && !names.includes(page.sandbox);
  useEffect(() => {
    call({ path: "__admin/sandboxes?limit=1000" }).then(
      ({ sandboxes }) => setNames(sandboxes.map(({ id }) => id)),
      (error) => error.status === 401 && page.ask(),
    );
  }, [page.changes, page.sandbox, missing ? page.version : 0]);
  return names;
}

function SandboxChoice({ page, names }) {
  const known = [...new Set([...(names ?? ["default"]), page.sandbox])];
  return html`<label>Sandbox
    <select value=${page.sandbox} onChange=${(event) => page.go({ sandbox: event.target.value, id: null })}>
      ${known.map((name) => html`<option value=${name}>${name}</option>`)}
    </select>
  </label>`;
}

document.title = `Freddy mock, ${root}`;
render(html`<${App} />`, document.getElementById("page"));
