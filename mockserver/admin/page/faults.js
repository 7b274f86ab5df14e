/** Faults: one click for the usual ones, the rules that are on, and the rate limit. */

import { Action, Field, Line, Operations, Page, Table, useCall, useRead } from "./parts.js";
import { html, useContext, useEffect, useState } from "./preact-htm.js";

const USUAL = [
  ["Slow (2 s)", { delay: 2000 }],
  ["401", { error: { status: 401 } }],
  ["403", { error: { status: 403 } }],
  ["404", { error: { status: 404 } }],
  ["429", { error: { status: 429, retry_after: 5 } }],
  ["500", { error: { status: 500 } }],
  ["503", { error: { status: 503, retry_after: 1 } }],
  ["Cut answer", { damage: { kind: "truncate" } }],
  ["Hold the answer", { hold: {} }],
];
const PROFILES = ["slow", "flaky", "brownout", "rate-limited", "offline"];
const HOW_LONG = { "the next one": { times: 1 }, "the next 3": { times: 3 }, "for 30 s": { seconds: 30 }, "until removed": {} };

const which = (times, what) => (times === 1 ? `the next ${what}` : times ? `each of the next ${times}: ${what}` : `every ${what}`);

/** Requests that a rule is for, as words. */
export const requestsOf = ({ times, operation, path }) => which(times, operation || path ? `request to ${operation ?? path}` : "request");

const words = ({ method, caller, error, delay, damage, hold, waiting, times, operation, path }) =>
  [
    requestsOf({ times, operation, path }),
    method ?? "",
    caller ? `of ${caller}` : "",
    delay === null ? "" : `waits ${JSON.stringify(delay)} ms`,
    error ? `is a ${error.status}` : "",
    hold ? `is held${hold.after_events ? ` after ${hold.after_events} events` : ""}, ${waiting} now` : "",
    damage ? `is damaged (${damage.kind})` : "",
  ].join(" ");

/** View of the faults. */
export function Faults() {
  const page = useContext(Page);
  const make = useCall();
  const [found, error, again] = useRead("__admin/faults", { live: true });
  const holds = found?.faults.some(({ hold }) => hold) ?? false;
  useEffect(() => {
    if (!holds) return undefined;
    const timer = setInterval(again, 1000);
    return () => clearInterval(timer);
  }, [holds]);
  const [limit] = useRead("__admin/rate-limit");
  const [howLong, setHowLong] = useState("the next one");
  const [operation, setOperation] = useState("");
  if (error) return html`<p>${error}</p>`;
  if (!found) return html`<p>…</p>`;
  const add = (body) => ({ method: "POST", path: "__admin/faults", body: { ...(operation ? { operation } : {}), ...body, ...HOW_LONG[howLong] } });
  const on = found.faults.filter(({ over, waiting }) => !over || waiting > 0);
  const columns = [
    ["Rule", ({ id, name }) => name ?? id],
    ["What", words],
    ["Hits", ({ struck, times }) => (times ? `${struck} of ${times}` : struck)],
    ["State", ({ over, waiting }) => (waiting ? "holds" : over ? "over" : "on")],
    ["Actions", ({ id, hold, waiting }) => html`${hold && waiting > 0 && html`<${Action} label="Release" wanted=${{ method: "POST", path: `__admin/faults/${encodeURIComponent(id)}/release` }} done="What waited goes on." />`}
      <${Action} label="Remove" wanted=${{ method: "DELETE", path: `__admin/faults/${encodeURIComponent(id)}` }} done="The rule is removed." />`],
  ];
  return html`<section><h2>Faults</h2>
    ${on.length > 0 && html`<p class="banner" role="alert">${on.length} ${on.length === 1 ? "rule is" : "rules are"} on.${" "}
      <${Action} label="Remove all" wanted=${{ method: "DELETE", path: "__admin/faults" }} done="No rule is left." /></p>`}
    <p class="line">
      <label>How long <select value=${howLong} onChange=${(event) => setHowLong(event.target.value)}>${Object.keys(HOW_LONG).map((each) => html`<option value=${each}>${each}</option>`)}</select></label>
      <label>Operation <input value=${operation} placeholder="all" list="operations" onInput=${(event) => setOperation(event.target.value.trim())} /></label><${Operations} />
    </p>
    <p class="line">${USUAL.map(([label, body]) => html`<${Action} label=${label} wanted=${add(body)} done="${label}: ${howLong}." />`)}</p>
    <${Line} label="Hold a stream" button="Hold the stream" send=${({ after }) => make(add({ operation: "createResponse", hold: { after_events: Number(after) } }), `The stream is held after ${after} events: ${howLong}.`)}>
      <${Field} label="Hold a stream after so many events" name="after" type="number" min="0" required defaultValue="2" />
    <//>
    <p class="line">${PROFILES.map((profile) => html`<${Action} label="Profile ${profile}" wanted=${{ method: "POST", path: "__admin/faults", body: { profile } }} done="Profile ${profile} is on." />`)}</p>
    <${Table} label="Rules" columns=${columns} rows=${found.faults} empty="No fault is on." />
    <h3>Rate limit</h3>
    <p>${limit ? (limit.plan === "off" ? "No limit." : `Plan ${limit.plan ?? "own"}: ${limit.per_minute ?? "∞"} a minute, ${limit.burst ?? "∞"} at once.`) : "…"}</p>
    <${Line} label="Rate limit" button="Set" send=${({ per_minute }) => make({ method: "PUT", path: "__admin/rate-limit", body: Number(per_minute) ? { per_minute: Number(per_minute) } : { plan: "off" } }, "The limit is set.")}>
      <${Field} label="Requests a minute (0: no limit)" name="per_minute" type="number" min="0" required />
    <//></section>`;
}
