/** Requests as they come, and why one has the answer that it has. */

import { call, ownRequests, root } from "./api.js";
import { Exchange } from "./exchange.js";
import { requestsOf } from "./faults.js";
import { Action, Download, Operations, Page, Status, heldAt, useRead } from "./parts.js";
import { html, useContext, useEffect, useRef, useState } from "./preact-htm.js";

const MOST_ROWS = 200;
const FILTERS = ["operation", "caller", "method", "status", "source"];

/** Events after which the journal has nothing older. */
const CLEARS = /^journal |^reset (reset|importScenario)\b(?!.*keep=\S*journal)/;

const matches = (row, params) =>
  FILTERS.every((name) => {
    const wanted = params[name];
    if (!wanted) return true;
    const value = String(row[name] ?? "");
    return /^[1-5]xx$/.test(wanted) ? value[0] === wanted[0] : value === wanted;
  }) &&
  (!params.search || JSON.stringify(row).toLowerCase().includes(params.search.toLowerCase()));

const NONE = [];
/** Event -> its row, the same each time. */
const ROWS = new WeakMap();

/** Row of an event: as in the journal, its time is that of the start. */
function fromEvent(event) {
  if (!ROWS.has(event)) ROWS.set(event, { ...event, wall: event.started });
  return ROWS.get(event);
}

/** Row of an exchange of the journal, with the fields of an event. */
const fromJournal = ({ request, why, ...rest }) => ({ ...rest, event: "exchange", method: request.method, url: request.url, reason: why.at(-1) ?? "" });

/** Exchanges of the sandbox: those of the journal, then those of the events. */
function useRows(page) {
  const [known, setKnown] = useState({ rows: [], dropped: 0, total: null });
  const [first] = useState(page.place);
  useEffect(() => {
    call({ path: `__admin/requests?limit=${MOST_ROWS}`, sandbox: page.sandbox }).then(
      ({ requests, dropped, total }) => setKnown({ rows: requests.map(fromJournal).reverse(), dropped, total }),
      (error) => (error.status === 401 ? page.ask() : setKnown({ rows: [], dropped: 0, total: 0 })),
    );
  }, [page.sandbox, page.changes]);
  const ids = new Set(known.rows.map(({ id }) => id));
  const open = new Map();
  let rows = [...known.rows];
  for (const event of page.events) {
    if (event.place <= first) { // the journal has it, unless it is not over
      if (event.event === "begun" && event.sandbox === page.sandbox && !ids.has(event.id)) open.set(event.id, event);
      else if (event.event === "exchange") open.delete(event.id);
      continue;
    }
    if (event.event === "dropped") rows.push(event);
    else if (event.sandbox !== page.sandbox) continue;
    else if (ids.has(event.id)) {
      if (event.event === "exchange") rows = rows.map((row) => (row.id === event.id && !row.complete ? fromEvent(event) : row));
    }
    else if (event.event === "begun") open.set(event.id, event);
    else if (event.event === "exchange") {
      open.delete(event.id);
      rows.push(fromEvent(event));
    } else if (CLEARS.test(`${event.event} ${event.detail}`)) rows = rows.filter(({ wall }) => wall > event.wall);
  }
  return { ...known, rows: withPreflights([...rows, ...[...open.values()].map((each) => ({ ...each, url: each.path, status: "…" }))], page) };
}

/** Rows with the preflights of the browser: each in the row of its request, or in one of its own if none followed. */
function withPreflights(rows, page) {
  const asked = new Map();
  const folded = [];
  for (const each of page.events) {
    if (each.event !== "preflight" || (each.sandbox !== page.sandbox && each.sandbox !== "default")) continue;
    const key = `${each.method} ${each.path}`;
    if (!asked.has(key)) asked.set(key, []);
    (each.allowed ? asked.get(key) : folded).push(each);
  }
  if (asked.size === 0) return rows;
  for (const row of rows.toReversed()) {
    const own = asked.get(`${row.method} ${row.url?.split("?")[0]}`);
    while (own?.length && own.at(-1).wall > row.wall) folded.push(own.pop());
    folded.push(own?.length ? { ...row, origin: own.pop().origin } : row);
  }
  return [...folded, ...[...asked.values()].flat()].sort((a, b) => (a.wall < b.wall ? -1 : Number(a.wall > b.wall)));
}

const isOpen = (row) => row.status === "…" || row.complete === false;

/** Whether a rule applies to the request of a row. */
const applies = (rule, row) => ["operation", "method", "caller"].every((name) => rule[name] === null || rule[name] === row[name]);

/** Ids of the rows that are held -> the reason; looked at each second while a row is open. */
function useHeld(page, rows) {
  const [held, set] = useState(new Map());
  const waits = useRef([]);
  waits.current = rows.filter(isOpen);
  const open = waits.current.length > 0;
  useEffect(() => {
    if (!open) return undefined;
    const look = async () => {
      const read = (path) => call({ path, sandbox: page.sandbox });
      const { faults } = await read("__admin/faults");
      const waiting = faults.filter((each) => each.waiting > 0);
      const { requests } = waiting.length ? await read(`__admin/requests?limit=${MOST_ROWS}`) : { requests: [] };
      const begun = new Map(requests.filter(({ complete }) => !complete).map(({ id, fault }) => [id, fault?.split(";")[0]]));
      const found = new Map();
      for (const rule of waiting) {
        const own = waits.current.filter((row) => (begun.has(row.id) ? begun.get(row.id) === (rule.name ?? rule.id) : !rule.hold.after_events && applies(rule, row)));
        for (const { id } of own.slice(0, rule.waiting)) found.set(id, heldAt(rule));
      }
      set(found);
    };
    const timer = setInterval(() => look().catch(() => set(new Map())), 1000);
    return () => clearInterval(timer);
  }, [page.sandbox, open]);
  return held;
}

/** Reason of a row; a rule of a fault is told by what it is for. */
function reasonOf({ reason = "" }, rules) {
  const [, id, status] = /^fault: injected: (fault_\w+); status=(\d+)/.exec(reason) ?? [];
  const rule = rules.find((each) => each.id === id);
  return rule ? `injected: ${status} (${requestsOf(rule)})` : reason;
}

function Filter({ name, row, page, children }) {
  const value = String(row[name] ?? "");
  if (!value || value === "…") return html`<td>${children ?? value}</td>`;
  return html`<td><button type="button" class="value" title="Show only ${name} ${value}" onClick=${() => page.go({ [name]: value })}>
    ${children ?? value}</button></td>`;
}

function Row({ row, page, held, rules }) {
  if (row.event === "dropped") return html`<tr class="gap"><td colspan="9">${row.count} events were dropped here</td></tr>`;
  if (row.event === "preflight")
    return html`<tr class="preflight ${row.allowed ? "" : "gap"}"><td><time>${row.wall.slice(11, 23)}</time></td><td>OPTIONS</td><td class="path">${row.path}</td>
      <td></td><td></td><td></td><td>preflight for ${row.method}</td><td></td><td class="reason">${row.allowed ? `pages of ${row.origin} may send it; no request followed yet` : `pages of ${row.origin} may not send it; start the mock with --cors-origins ${row.origin} to allow it`}</td></tr>`;
  return html`<tr class=${page.params.id === row.id ? "chosen" : ""}>
    <td><time>${(row.wall ?? row.at ?? "").slice(11, 23)}</time></td>
    <${Filter} name="method" row=${row} page=${page} />
    <td class="path"><a href="#" onClick=${(event) => (event.preventDefault(), page.go({ id: row.id }))}>${row.url}</a>${row.origin && html` <small>after a preflight of ${row.origin}</small>`}${ownRequests.has(row.id) && html` <small>sent from this page</small>`}</td>
    <${Filter} name="status" row=${row} page=${page}><${Status} row=${row} held=${held} /><//>
    <td class="number">${row.milliseconds === undefined ? "" : row.milliseconds.toFixed(1)}</td>
    <${Filter} name="caller" row=${row} page=${page} />
    <${Filter} name="operation" row=${row} page=${page} />
    <${Filter} name="source" row=${row} page=${page} />
    <td class="reason">${held || reasonOf(row, rules)}</td>
  </tr>`;
}

/** Draws rows; one that is as before is not drawn again. */
function useDrawn(page) {
  const drawn = useRef(new Map());
  return (rows, held, rules) => {
    const next = new Map();
    for (const row of rows) {
      const key = row.id ?? (row.place || [row.wall, row.method, row.path, row.origin].join(" "));
      const of = [row, page.params, isOpen(row) && held.get(row.id), rules, ownRequests.has(row.id)];
      const before = drawn.current.get(key);
      const same = before?.of.every((each, at) => each === of[at]);
      next.set(key, same ? before : { of, node: html`<${Row} key=${key} row=${row} page=${page} rules=${rules} held=${of[2]} />` });
    }
    drawn.current = next;
    return [...next.values()].map(({ node }) => node);
  };
}

/** View of the requests of a sandbox. */
export function Requests() {
  const page = useContext(Page);
  const live = useRows(page);
  const streams = useHeld(page, live.rows);
  const [found] = useRead("__admin/faults", { live: true });
  const draw = useDrawn(page);
  const [paused, pause] = useState(null);
  const shown = (paused ?? live.rows).filter((row) => row.event === "dropped" || matches(row, page.params));
  const rows = shown.slice(-MOST_ROWS).reverse();
  const chosen = FILTERS.filter((name) => page.params[name]);
  return html`<section><h2>Requests</h2>
    <form class="line" aria-label="Filters" onSubmit=${(event) => event.preventDefault()}>
      <label>Search <input type="search" value=${page.params.search ?? ""} onInput=${(event) => page.go({ search: event.target.value })} /></label>
      <label>Status <select value=${page.params.status ?? ""} onChange=${(event) => page.go({ status: event.target.value })}>
        ${["", "2xx", "3xx", "4xx", "5xx"].map((each) => html`<option value=${each}>${each || "all"}</option>`)}
        ${/^\d{3}$/.test(page.params.status ?? "") && html`<option value=${page.params.status}>${page.params.status}</option>`}
      </select></label>
      <label>Operation <input list="operations" value=${page.params.operation ?? ""} onChange=${(event) => page.go({ operation: event.target.value.trim() })} /></label><${Operations} />
      ${chosen.map((name) => html`<button type="button" class="chip" onClick=${() => page.go({ [name]: null })}>${name} ${page.params[name]} ✕</button>`)}
      <button type="button" aria-pressed=${paused !== null} onClick=${() => pause(paused ? null : live.rows)}>${paused ? "Go on" : "Pause"}</button>
      <${Action} label="Clear" confirm="Clear the journal?" wanted=${{ method: "DELETE", path: "__admin/requests" }} done="The journal is empty." then=${() => page.go({ id: null })} />
      <${Download} label="Download HAR" path="__admin/requests/har" name="${page.sandbox}.har" what="the requests" />
    </form>
    ${live.dropped > 0 && html`<p>${live.dropped} older exchanges are not in the journal any more.</p>`}
    ${rows.length === 0 && html`<p class="empty">${live.rows.length ? "No request fits the filters." : html`No request yet. Send one:${" "}
      <code>curl ${root}v1/spaces/space_abc123/threads -H 'X-API-Key: ak_demo_owner'${page.sandbox === "default" ? "" : ` -H 'X-Mock-Sandbox: ${page.sandbox}'`}</code>`}</p>`}
    <div class="split ${page.params.id ? "open" : ""}">
      ${rows.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label="Requests, newest first"><table>
        <thead><tr>${["Time", "Method", "Path", "Status", "ms", "Caller", "Operation", "Source", "Reason"].map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
        <tbody>${draw(rows, streams, found?.faults ?? NONE)}</tbody>
      </table></div>`}
      ${page.params.id && html`<${Exchange} id=${page.params.id} key=${page.params.id} />`}
    </div>
    ${shown.length > MOST_ROWS && html`<p>The newest ${MOST_ROWS} of ${shown.length} are shown; narrow them down by a filter.</p>`}</section>`;
}
