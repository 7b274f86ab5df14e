/** Records: spaces, threads, messages, stores, files, links, people and their keys; each can be changed. */

import { Access } from "./access.js";
import { call } from "./api.js";
import { Changes } from "./changes.js";
import { NewThread } from "./new-thread.js";
import { Action, Copy, Field, Line, Page, Suggestions, Table, useCall, useRead } from "./parts.js";
import { html, useContext, useState } from "./preact-htm.js";

const MOST = 1000;
const MOST_ROWS = 200;
const KINDS = ["spaces", "threads", "messages", "stores", "files", "links", "users", "keys"];
const PREFIXES = { spaces: "space", threads: "thrd", messages: "msg", stores: "vs", files: "file", users: "usr", keys: "ak" };
/** Fields that a copy does not take over. */
const OWN = ["id", "object", "vector_store_id", "space_id", "message_count", "last_message_at"];
const SHOWN = { "": "Records", access: "Who may do what", changes: "Changed since the start" };
const FIRST = ["name", "title", "role", "content", "original_filename", "space_id", "thread_id", "user_id", "created_by", "organization_id", "access_mode", "state", "member_of", "created_at", "added_at"];

const at = (kind, id) => `__admin/records/${kind}/${encodeURIComponent(id)}`;
const shown = (value) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

/** Values in a record as texts, without the names of its fields. */
const valuesOf = (value) => (value !== null && typeof value === "object" ? Object.values(value).flatMap(valuesOf) : [String(value)]);

/** Fields of a JSON object in a text; null, and a word at the foot of the page, if it is none. */
function fieldsOf(text, page) {
  try {
    const fields = JSON.parse(text);
    if (fields && typeof fields === "object" && !Array.isArray(fields)) return fields;
  } catch {
    // told below
  }
  page.tell({ text: "The fields are not a JSON object.", curl: "", failed: true });
  return null;
}

const fresh = (kind) => `${PREFIXES[kind]}_${Math.random().toString(16).slice(2, 10)}`;

/** Field that adds a thread to a space, as the vendor's operation does, from either of the two. */
function AddTo({ kind, id, organization, messages }) {
  const make = useCall();
  const [found] = useRead(`__admin/records/${kind === "spaces" ? "threads" : "spaces"}?limit=${MOST}`, { once: true });
  const send = ({ to }) => {
    const [space, thread] = kind === "spaces" ? [id, to] : [to, id];
    const count = kind === "threads" ? messages : others.find((each) => each.id === to)?.record.message_count;
    const more = { label: `Watch its ${count} messages`, params: { space, state: null, id: null }, view: "queue" };
    make({ method: "PUT", path: at("links", `${space}~${thread}`), body: {} }, `${thread} is in ${space}.`, more);
  };
  const others = (found?.records ?? []).filter(({ record }) => record.organization_id === organization);
  return html`<${Line} label="Add to a space" button="Add it" send=${send}>
    <label>${kind === "spaces" ? "Add a thread" : "Add to the space"} <select name="to" required>${others.map(({ id: other, record }) => html`<option value=${other}>${other} (${record.title ?? record.name ?? ""})</option>`)}</select></label>
  <//>`;
}

function Record({ kind, id }) {
  const page = useContext(Page);
  const make = useCall();
  const [copied] = useState(() => fresh(kind));
  const [found, error, again] = useRead(at(kind, id), { once: true });
  const close = html`<button type="button" onClick=${() => page.go({ id: null })}>Close</button>`;
  if (error || !found) return html`<aside aria-label="Record"><p>${error || "…"}</p>${close}</aside>`;
  const text = JSON.stringify(found.record, null, 2);
  const kept = Object.entries(found.record).filter(([name]) => !OWN.includes(name) && !(kind === "messages" && name === "created_at"));
  const change = async ({ fields }) => {
    const body = fieldsOf(fields, page);
    if (body && (await make({ method: "PATCH", path: at(kind, id), body }, "The record is changed."))) again();
  };
  return html`<aside aria-label="Record"><h3>${id} ${close}</h3>
    <p class="line"><${Copy} label="Copy JSON" text=${text} /><${Copy} label="Copy id" text=${id} />
      ${kind === "spaces" && html`<button type="button" onClick=${() => page.go({ show: "access", space: id, id: null })}>Who may do what here</button>`}
      ${kind in PREFIXES && kind !== "files" && html`<${Action} label="Duplicate" wanted=${{ method: "PUT", path: at(kind, copied), body: Object.fromEntries(kept) }} done="The copy ${copied} is stored." then=${() => page.go({ id: copied })} />`}
      <${Action} label="Delete" confirm="Delete it?" wanted=${{ method: "DELETE", path: at(kind, id) }} done="The record is deleted." then=${() => page.go({ id: null })} /></p>
    <pre tabindex="0">${text}</pre>
    ${(kind === "spaces" || kind === "threads") && html`<${AddTo} kind=${kind} id=${id} organization=${found.record.organization_id} messages=${found.record.message_count} />`}
    <${Line} label="Change fields" button="Change" send=${change}><${Fields} label="Fields to change" placeholder='{"title": "Another"}' /><//></aside>`;
}

function Fields({ label, ...rest }) {
  return html`<label>${label} <textarea name="fields" rows="3" cols="36" required ...${rest}></textarea></label>`;
}

/** Id and required fields of a new record, with ids of others that exist. */
async function example(kind, sandbox) {
  const records = async (name) => (await call({ path: `__admin/records/${name}?limit=${MOST}`, sandbox })).records;
  const user = (await records("users")).find(({ record }) => record.member_of.length > 0);
  const [user_id, organization_id] = [user?.id ?? "", user?.record.member_of[0].organization ?? ""];
  const made = {
    spaces: () => ({ organization_id, created_by: user_id, name: "New space" }),
    threads: () => ({ organization_id, user_id, title: "New thread" }),
    messages: async () => ({ thread_id: (await records("threads"))[0]?.id ?? "", role: "user", content: "Hello" }),
    stores: () => ({ organization_id, created_by: user_id, name: "New store" }),
    files: () => ({ organization_id, uploaded_by: user_id, original_filename: "note.txt", text: "A note." }),
    users: () => ({ name: "New person", member_of: [{ organization: organization_id }] }),
    keys: () => ({ user_id, state: "active" }),
  };
  if (kind in made) return { id: fresh(kind), fields: await made[kind]() };
  const [spaces, threads, links] = [await records("spaces"), await records("threads"), new Set((await records("links")).map(({ id }) => id))];
  for (const space of spaces)
    for (const { id, record } of threads)
      if (record.organization_id === space.record.organization_id && !links.has(`${space.id}~${id}`)) return { id: `${space.id}~${id}`, fields: {} };
  return { id: "", fields: {} };
}

/** Form for a record; `ids` are those that exist, and `then` is called after it is stored. */
function Create({ kind, ids, then }) {
  const page = useContext(Page);
  const make = useCall();
  const [filled, fill] = useState(null);
  const [id, name] = useState("");
  const propose = async () => {
    const found = await example(kind, page.sandbox).catch(() => ({ id: "", fields: {} }));
    name(found.id);
    fill(found);
  };
  const exists = ids.includes(id);
  const send = async ({ fields }) => {
    const body = fieldsOf(fields, page);
    const done = (status) => `${id} is ${status === 201 ? "added" : "replaced"}.`;
    if (!body || !(await make({ method: "PUT", path: at(kind, id), body }, done))) return;
    then();
    page.go({ id });
    propose();
  };
  return html`<details onToggle=${(event) => event.target.open && propose()}><summary>Add or replace one of the ${kind}</summary>
    ${filled && kind === "threads" && html`<${NewThread} id=${filled.id} key=${`new ${filled.id}`} then=${() => (then(), propose())} />`}
    ${filled && html`<${Line} label="Add a record" button=${exists ? `Replace ${id}` : "Store"} send=${send} key=${filled.id}>
      <${Field} label="Id" name="id" required defaultValue=${filled.id} onInput=${(event) => name(event.target.value)} /><${Fields} label="Fields" defaultValue=${JSON.stringify(filled.fields, null, 2)} /><//>`}</details>`;
}

function Say() {
  const make = useCall();
  const send = ({ thread, role, content }) =>
    make({ method: "POST", path: `__admin/threads/${encodeURIComponent(thread)}/messages`, body: { role, content } }, "The message is in the thread.");
  return html`<${Line} label="Add a message" button="Add" send=${send}>
    <strong>Add a message</strong>
    <${Field} label="Thread" name="thread" required placeholder="thrd_abc123" list="threads" />
    <${Suggestions} id="threads" path="__admin/records/threads?limit=200" names=${({ records }) => records.map(({ id }) => id)} />
    <label>Role <select name="role"><option value="user">user</option><option value="assistant">assistant</option></select></label>
    <${Field} label="Text" name="content" required />
  <//>`;
}

/** View of the records, of what may be done with them, and of what was. */
export function Data() {
  const page = useContext(Page);
  const show = page.params.show in SHOWN ? page.params.show : "";
  return html`<section><h2>Data</h2>
    <p class="line">${Object.entries(SHOWN).map(([name, title]) => html`<button type="button" aria-pressed=${name === show} onClick=${() => page.go({ show: name, id: null })}>${title}</button>`)}</p>
    ${show === "access" ? html`<${Access} />` : show === "changes" ? html`<${Changes} />` : html`<${Records} />`}</section>`;
}

function Records() {
  const page = useContext(Page);
  const { kind: named, search = "", id } = page.params;
  const kind = KINDS.includes(named) ? named : "spaces";
  const [found, error, again] = useRead(`__admin/records/${kind}?limit=${MOST}`, { live: true });
  const [asked, ask] = useState(search);
  const [stored, count] = useState(0);
  if (error) return html`<p>${error}</p>`;
  if (!found) return html`<p>…</p>`;
  const all = found.records.filter(({ id: own, record }) => !search || [own, ...valuesOf(record)].some((each) => each.toLowerCase().includes(search.toLowerCase())));
  const age = ({ record }) => String(record.created_at ?? record.added_at ?? record.uploaded_at ?? "");
  all.sort((a, b) => (age(a) < age(b) ? 1 : -Number(age(a) > age(b))));
  const rows = all.slice(0, MOST_ROWS);
  const fields = FIRST.filter((name) => rows.some(({ record }) => record[name] !== undefined && record[name] !== null));
  const columns = [
    ["id", (row) => html`<button type="button" class="value" onClick=${() => page.go({ id: row.id })}>${row.id}</button>`],
    ...fields.map((name) => [name, ({ record }) => shown(record[name]).slice(0, 120)]),
  ];
  return html`
    <form class="line" aria-label="Records" onSubmit=${(event) => event.preventDefault()}>
      <label>Kind <select value=${kind} onChange=${(event) => page.go({ kind: event.target.value, id: null })}>
        ${KINDS.map((name) => html`<option value=${name}>${name}</option>`)}</select></label>
      <label>Search <input type="search" value=${asked} onInput=${(event) => (ask(event.target.value), page.go({ search: event.target.value }))} /></label>
      ${search && html`<button type="button" class="chip" aria-label="Show all" onClick=${() => (ask(""), page.go({ search: null }))}>×</button>`}
      <button type="button" onClick=${again}>Read again</button> <span>${found.total} ${kind}</span>
    </form>
    <${Say} /><${Create} kind=${kind} key=${kind} ids=${found.records.map((each) => each.id)} then=${() => count((number) => number + 1)} />
    <div class="split">
      <${Table} label="Records" columns=${columns} rows=${rows} empty=${found.total ? "No record fits." : "No record."} />
      ${id && html`<${Record} kind=${kind} id=${id} key=${`${kind} ${id} ${stored}`} />`}
    </div>
    ${found.total > rows.length && html`<p>${rows.length} of ${found.total} are shown; the search looks through the first ${MOST}.</p>`}`;
}
