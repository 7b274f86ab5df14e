/** Sandboxes: open, create, copy, delete. */

import { root } from "./api.js";
import { Action, Copy, Field, Line, Page, Suggestions, Table, useCall, useRead } from "./parts.js";
import { html, useContext } from "./preact-htm.js";

/** View of all sandboxes. */
export function Sandboxes() {
  const page = useContext(Page);
  const make = useCall();
  const [found, error, again] = useRead("__admin/sandboxes?limit=1000");
  if (error) return html`<p>${error}</p>`;
  if (!found) return html`<p>…</p>`;
  const at = (name) => `__admin/sandboxes/${encodeURIComponent(name)}`;
  const create = async ({ id, scenario, freeze }) => {
    const body = { id, ...(scenario ? { scenario } : {}), ...(freeze ? { freeze } : {}) };
    if (await make({ method: "POST", path: "__admin/sandboxes", body }, `Sandbox ${id} is created.`, { label: "Open it", params: { sandbox: id, id: null }, view: "requests" })) again();
  };
  const columns = [
    ["Name", ({ id }) => html`<button type="button" class="value" onClick=${() => page.go({ sandbox: id, id: null }, "requests")}>${id}</button>`],
    ["From", ({ origin }) => origin],
    ["Now", ({ now, frozen }) => `${now}${frozen ? " (frozen)" : ""}`],
    ["Idle", ({ idle_seconds }) => (idle_seconds === null ? "" : `${Math.round(idle_seconds)} s`)],
    ["Holds", ({ counts }) => `${counts.spaces} spaces, ${counts.threads} threads, ${counts.messages} messages`],
    ["Actions", ({ id }) => html`<${Copy} label="Copy address" text=${`${root}${id === "default" ? "" : `__sandbox/${encodeURIComponent(id)}/`}v1`} />
      <${Action} label="Fork" wanted=${{ method: "POST", path: `${at(id)}/fork`, body: {} }} done="A copy exists." then=${again} />
      ${id !== "default" && html`<${Action} label="Delete" confirm="Delete it?" wanted=${{ method: "DELETE", path: at(id) }} done="Sandbox ${id} is deleted." then=${again} />`}`],
  ];
  return html`<section><h2>Sandboxes</h2>
    <p>Each is a mock of its own; a request names one by the header <code>X-Mock-Sandbox</code> or by its address.</p>
    <${Line} label="Create a sandbox" button="Create" send=${create}>
      <${Field} label="Name" name="id" required /><${Field} label="Scenario" name="scenario" placeholder="as at start" list="scenarios" />
      <${Suggestions} id="scenarios" path="__admin/scenarios" names=${({ scenarios }) => scenarios} />
      <${Field} label="Freeze at" name="freeze" placeholder="2026-02-26T10:30:00Z" />
    <//>
    <${Table} label="Sandboxes" columns=${columns} rows=${found.sandboxes} empty="None." /></section>`;
}
