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

/** Ids of the items of a list; null if they do not have one each. */
function idsOf(value) {
  const ids = Array.isArray(value) ? value.map((each) => each?.id) : [];
  return ids.length > 0 && ids.every((id) => typeof id === "string") && new Set(ids).size === ids.length ? ids : null;
}

const named = (item) => (item.title ?? item.name ? `${item.id} (${item.title ?? item.name})` : item.id);

/** Values of a JSON text by their addresses, and `items` of lists by theirs; a text that is no JSON by its name alone. */
function values(text, name) {
  const found = new Map();
  const items = new Map();
  const walk = (value, at) => {
    const ids = idsOf(value);
    if (ids) {
      found.set(`${at}: order`, ids.join(", "));
      for (const each of value) {
        items.set(`${at}[${each.id}]`, { at, text: named(each) });
        walk(each, `${at}[${each.id}]`);
      }
    } else if (value !== null && typeof value === "object" && Object.keys(value).length > 0) for (const [key, each] of Object.entries(value)) walk(each, `${at}.${key}`);
    else found.set(at, value);
  };
  try {
    walk(JSON.parse(text), name);
  } catch {
    if (text) found.set(name, text);
  }
  return { found, items };
}

/** Values of an exchange by their addresses, and the items of its lists. */
function partsOf({ request, response, caller }) {
  const [sent, answered] = [values(request.body, "request"), values(response.body, "answer")];
  const found = new Map([["url", request.url], ["caller", caller], ...sent.found, ["status", response.status], ...answered.found]);
  return { found, items: new Map([...sent.items, ...answered.items]) };
}

/** [address, before, after] of what differs; an item of a list that is only in one of the two is one line. */
function differences(before, after) {
  const lone = (mine, others) => [...mine.items].filter(([at]) => !others.items.has(at));
  const [gone, added] = [lone(before, after), lone(after, before)];
  const whole = [...gone, ...added];
  const changed = new Set(whole.map(([, { at }]) => `${at}: order`));
  const lines = [...gone.map(([, { at, text }]) => [at, text, undefined]), ...added.map(([, { at, text }]) => [at, undefined, text])];
  for (const name of new Set([...before.found.keys(), ...after.found.keys()])) {
    const [old, now] = [before.found.get(name), after.found.get(name)];
    if (old !== now && !changed.has(name) && !whole.some(([at]) => name.startsWith(`${at}.`) || name.startsWith(`${at}:`))) lines.push([name, old, now]);
  }
  return lines;
}

/** What differs from the last exchange with the same path and caller, or of the same operation if there is none. */
export function Difference({ exchange }) {
  const { operation, number, caller, request } = exchange;
  const path = request.url.split("?")[0];
  const any = { operation, before: number, limit: "1" };
  const same = { ...any, path, ...(caller ? { caller } : {}) };
  const [closest] = useRead(`__admin/requests?${new URLSearchParams(same)}`, { once: true });
  const [found] = useRead(`__admin/requests?${new URLSearchParams(any)}`, { once: true });
  if (!closest || !found) return html`<p class="soft">…</p>`;
  const last = closest.requests[0] ?? found.requests[0];
  if (!last) return html`<p class="soft">It is the first call of this operation in the journal.</p>`;
  const lines = differences(partsOf(last), partsOf(exchange));
  const lacks = `no earlier call${caller === last.caller ? "" : ` by ${caller ?? "nobody known"}`}${last.request.url.split("?")[0] === path ? "" : " of this path"}`;
  return html`<details><summary>${lines.length} ${lines.length === 1 ? "difference" : "differences"} from the call of ${last.caller ?? "nobody known"} at ${last.wall.slice(11, 19)}${closest.requests[0] ? "" : ` (${lacks})`}</summary>
    <${Pairs} pairs=${lines.slice(0, MOST)} /></details>`;
}
