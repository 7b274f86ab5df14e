/** Differences: records from those of the start, and an exchange from the last one like it. */

import { Page, Table, useRead } from "./parts.js";
import { html, useContext } from "./preact-htm.js";

const MOST = 200;
const LONGEST = 200;

const shown = (value) => (value === undefined ? "" : JSON.stringify(value).slice(0, LONGEST));

/** Values before and after, each with a name. */
function Pairs({ pairs }) {
  return html`<dl class="pairs">${pairs.map(
    ([name, before, after]) => html`<dt>${name}</dt><dd>${before !== undefined && html`<del>${shown(before)}</del> `}${after !== undefined && html`<ins>${shown(after)}</ins>`}</dd>`,
  )}</dl>`;
}

/** Records that a reset would bring back or take away. */
export function Changes() {
  const page = useContext(Page);
  const [found, error, again] = useRead(`__admin/changes?limit=${MOST}`, { live: true });
  if (error) return html`<p>${error}</p>`;
  if (!found) return html`<p>…</p>`;
  const columns = [
    ["Kind", ({ kind }) => kind],
    ["Id", ({ kind, id, change }) => (change === "deleted" ? id : html`<button type="button" class="value" onClick=${() => page.go({ show: null, kind, id })}>${id}</button>`)],
    ["Change", ({ change }) => html`<span class="change ${change}">${change}</span>`],
    ["Fields", ({ change, before, after }) => (change === "changed" ? html`<${Pairs} pairs=${Object.keys({ ...before, ...after }).map((name) => [name, before[name], after[name]])} />` : html`<code>${shown(before ?? after)}</code>`)],
  ];
  return html`<p>${found.total} ${found.total === 1 ? "record differs" : "records differ"} from the start that a reset goes back to. <button type="button" onClick=${again}>Read again</button></p>
    <${Table} label="Changes" columns=${columns} rows=${found.changes.map((each) => ({ ...each, name: `${each.kind} ${each.id}`, id: each.id }))} empty="Nothing has changed since the start." />
    ${found.has_more && html`<p>The first ${MOST} are shown.</p>`}`;
}

/** Values of a JSON text by their addresses; a text that is none by its name alone. */
function values(text, name) {
  const found = new Map();
  const walk = (value, at) => {
    if (value !== null && typeof value === "object" && Object.keys(value).length > 0) for (const [key, each] of Object.entries(value)) walk(each, `${at}.${key}`);
    else found.set(at, value);
  };
  try {
    walk(JSON.parse(text), name);
  } catch {
    if (text) found.set(name, text);
  }
  return found;
}

const parts = ({ request, response, caller }) =>
  new Map([
    ["url", request.url],
    ["caller", caller],
    ...values(request.body, "request"),
    ["status", response.status],
    ...values(response.body, "answer"),
  ]);

/** What differs from the last exchange with the same path and caller, or of the same operation if there is none. */
export function Difference({ exchange }) {
  const { operation, number, caller, request } = exchange;
  const any = { operation, before: number, limit: "1" };
  const same = { ...any, path: request.url.split("?")[0], ...(caller ? { caller } : {}) };
  const [closest] = useRead(`__admin/requests?${new URLSearchParams(same)}`, { once: true });
  const [found] = useRead(`__admin/requests?${new URLSearchParams(any)}`, { once: true });
  if (!closest || !found) return html`<p class="soft">…</p>`;
  const last = closest.requests[0] ?? found.requests[0];
  if (!last) return html`<p class="soft">It is the first call of this operation in the journal.</p>`;
  const [before, after] = [parts(last), parts(exchange)];
  const names = [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name));
  const which = closest.requests[0] ? "with this path and caller" : `of ${operation}; none before has this path and caller`;
  return html`<details><summary>Difference from the last call ${which}, at ${last.wall.slice(11, 23)} (${names.length})</summary>
    <${Pairs} pairs=${names.slice(0, MOST).map((name) => [name, before.get(name), after.get(name)])} /></details>`;
}
