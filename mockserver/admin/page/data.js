/** What is stored: spaces, threads, messages, stores, files, links, people and their keys. */

import { Copy, Page, Table, useCall, useRead, Line, Field } from "./parts.js";
import { html, useContext } from "./preact-htm.js";

const MOST = 200;
const KINDS = ["spaces", "threads", "messages", "vector_stores", "files", "space_threads", "space_vector_stores", "users"];
const FIRST = ["id", "name", "title", "role", "content", "space_id", "thread_id", "created_by", "user_id", "organization_id", "access_mode", "created_at", "added_at"];

const shown = (value) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

function Record({ record }) {
  const page = useContext(Page);
  return html`<aside aria-label="Record"><h3>${record.id ?? "Record"} <button type="button" onClick=${() => page.go({ id: null })}>Close</button></h3>
    <${Copy} label="Copy JSON" text=${JSON.stringify(record, null, 2)} /><pre tabindex="0">${JSON.stringify(record, null, 2)}</pre></aside>`;
}

function Say() {
  const make = useCall();
  const send = ({ thread, role, content }) =>
    make({ method: "POST", path: `__admin/threads/${encodeURIComponent(thread)}/messages`, body: { role, content } }, "The message is in the thread.");
  return html`<${Line} label="Add a message" button="Add" send=${send}>
    <${Field} label="Thread" name="thread" required placeholder="thrd_abc123" />
    <label>Role <select name="role"><option value="user">user</option><option value="assistant">assistant</option></select></label>
    <${Field} label="Text" name="content" required />
  <//>`;
}

function Users({ users }) {
  const columns = [
    ["Id", ({ id }) => id],
    ["Name", ({ name }) => name],
    ["Member of", ({ member_of }) => member_of.map(({ organization, roles = [] }) => `${organization}${roles.length ? ` (${roles.join(", ")})` : ""}`).join("; ")],
    ["Keys", ({ keys }) => keys.map(({ key, state }) => html`<code>${key}</code>${state === "active" ? "" : ` ${state}`} <${Copy} label="Copy" text=${key} /> `)],
  ];
  return html`<${Table} label="People and their keys" columns=${columns} rows=${users} empty="Nobody." />`;
}

/** View of the records. */
export function Data() {
  const page = useContext(Page);
  const [state, error, again] = useRead("__admin/state", { live: true });
  if (error) return html`<p>${error}</p>`;
  if (!state) return html`<p>…</p>`;
  const { kind = "spaces", search = "", id } = page.params;
  const records = (name) => (name === "users" ? state.users : (state.collections[name]?.records ?? []).map((row) => row.record));
  const all = records(kind).filter((record) => !search || JSON.stringify(record).toLowerCase().includes(search.toLowerCase()));
  const rows = all.slice(0, MOST);
  const fields = FIRST.filter((name) => rows.some((record) => record[name] !== undefined));
  const columns = fields.map((name) => [
    name,
    (record) =>
      name === fields[0]
        ? html`<button type="button" class="value" onClick=${() => page.go({ id: shown(record[name]) })}>${shown(record[name])}</button>`
        : shown(record[name]).slice(0, 120),
  ]);
  const chosen = id && records(kind).find((record) => shown(record[fields[0]]) === id);
  return html`<h2>Data</h2>
    <form class="line" aria-label="Records" onSubmit=${(event) => event.preventDefault()}>
      <label>Kind <select value=${kind} onChange=${(event) => page.go({ kind: event.target.value, id: null })}>
        ${KINDS.map((name) => html`<option value=${name}>${name.replaceAll("_", " ")} (${records(name).length})</option>`)}</select></label>
      <label>Search <input type="search" value=${search} onInput=${(event) => page.go({ search: event.target.value })} /></label>
      <button type="button" onClick=${again}>Read again</button>
    </form>
    <${Say} />
    <div class="split">
      ${kind === "users" ? html`<${Users} users=${rows} />` : html`<${Table} label="Records" columns=${columns} rows=${rows} empty="No record." />`}
      ${chosen && html`<${Record} record=${chosen} />`}
    </div>
    ${all.length > MOST && html`<p>The first ${MOST} of ${all.length} are shown; search for others.</p>`}`;
}
