/** State of the sandbox: where it starts, snapshots, and the whole of it as a file. */

import { curl, save } from "./api.js";
import { Action, Download, Field, Line, Page, Question, Table, Ticking, useCall, useRead } from "./parts.js";
import { html, useContext, useState } from "./preact-htm.js";

const HAR = "This is a HAR: open it in the network panel of a browser. The state loads here.";

/** Button that saves the data as a scenario file, and tells what that leaves out. */
function Scenario() {
  const page = useContext(Page);
  const make = useCall();
  const [chosen, choose] = useState("");
  const run = async () => {
    const found = await make({ path: "__admin/state/scenario" });
    if (found === null) return;
    const name = `${chosen.trim() || page.sandbox}.scenario.json`;
    save(found.scenario, name);
    const lacks = found.left_out.length ? ` Left out: ${found.left_out.join("; ")}.` : "";
    page.tell({ text: `Saved as ${name}.${lacks} Start from it with Load a file, or --scenario.`, curl: "", failed: false });
  };
  return html`<button type="button" title=${curl({ path: "__admin/state/scenario", sandbox: page.sandbox })} onClick=${run}>Save as scenario</button>
    <${Field} label="named" placeholder=${page.sandbox} value=${chosen} onInput=${(event) => choose(event.target.value)} />`;
}

/** Field for a saved state or scenario, which asks before it replaces everything; `gone`: the requests that go where a scenario starts. */
function Load({ gone }) {
  const page = useContext(Page);
  const make = useCall();
  const [file, choose] = useState(null);
  const [into, name] = useState("");
  const read = async (event) => {
    const [chosen] = event.target.files;
    if (!chosen) return;
    try {
      const body = JSON.parse(await chosen.text());
      choose(body?.log?.entries ? null : { name: chosen.name, body });
      if (body?.log?.entries) page.tell({ text: HAR, curl: "", failed: true });
    } catch {
      choose(null);
      page.tell({ text: `${chosen.name} is not JSON. Start the mock with --scenario FILE for a scenario in YAML.`, curl: "", failed: true });
    }
    event.target.value = "";
  };
  const load = async () => {
    const { name, body } = file;
    choose(null);
    const other = into.trim();
    if (other && !(await make({ method: "POST", path: "__admin/sandboxes", body: { id: other } }))) return;
    const sandbox = other || page.sandbox;
    const more = other ? { label: "Open it", params: { sandbox: other }, view: "requests" } : null;
    const told = (_, { now }) => `${name} is loaded${other && ` into ${other}`}; now is ${now.slice(11, 19)}, as in the file.`;
    if (body?.format) await make({ method: "PUT", path: "__admin/state", body, sandbox }, told, more);
    else await make({ method: "PUT", path: "__admin/state/scenario", body, sandbox }, `Started from ${name}${other && ` in ${other}`}.`, more);
  };
  const question = into.trim() ? `Create ${into.trim()} from ${file?.name}?` : `Replace everything in ${page.sandbox}${file?.body.format ? "" : gone} by ${file?.name}?`;
  return html`<label>Load a file <input type="file" accept="application/json,.har" onChange=${read} /></label>
    <${Field} label="into a new sandbox named" placeholder="none: into this one" value=${into} onInput=${(event) => name(event.target.value)} />
    ${file && html`<${Question} text=${question} label=${into.trim() ? "Create" : "Replace"} yes=${load} no=${() => choose(null)} />`}`;
}

/** View of the state. */
export function State() {
  const page = useContext(Page);
  const make = useCall();
  const [sandbox, error] = useRead(`__admin/sandboxes/${encodeURIComponent(page.sandbox)}`);
  const [found, refused] = useRead("__admin/snapshots?limit=1000");
  const [requests] = useRead("__admin/requests?limit=1", { live: true });
  const [known] = useRead("__admin/scenarios");
  const [settings] = useRead("__admin/settings", { once: true });
  if (error || refused) return html`<p>${error || refused}</p>`;
  if (!sandbox || !found) return html`<p>…</p>`;
  const at = (name) => `__admin/snapshots/${encodeURIComponent(name)}`;
  const columns = [
    ["Name", ({ name }) => name],
    ["Time", ({ now }) => now ?? ""],
    ["Actions", ({ name }) => html`<${Action} label="Restore" confirm="Give up the present state?" wanted=${{ method: "POST", path: `${at(name)}/restore` }} done="The snapshot is restored." />
      <${Action} label="Delete" confirm="Delete it?" wanted=${{ method: "DELETE", path: at(name) }} done="The snapshot is deleted." />`],
  ];
  const { counts } = sandbox;
  const gone = requests?.total ? ` and the ${requests.total === 1 ? "request" : `${requests.total} requests`}` : "";
  return html`<section><h2>State</h2>
    <p>Scenario <strong>${sandbox.scenario}</strong>, started from ${sandbox.origin}, seed ${sandbox.seed}, now <${Ticking} now=${sandbox.now} frozen=${sandbox.frozen} />${sandbox.frozen ? " (frozen)" : ""}:
      ${Object.entries(counts).map(([name, count]) => ` ${count} ${name.replaceAll("_", " ")}`).join(",")}.</p>
    <p class="line">
      <${Action} label="Reset" confirm="Reset everything${gone}?" wanted=${{ method: "POST", path: "__admin/reset" }} done="The sandbox is as at its start." />
      <${Action} label="Reset, keep the journal" wanted=${{ method: "POST", path: "__admin/reset?keep=journal" }} done="The sandbox is as at its start." />
      <${Action} label="Empty" confirm="Remove all records${gone}?" wanted=${{ method: "POST", path: "__admin/reset?to=empty" }} done="Only people and organizations are left." />
      <${Download} label="Download the state" path="__admin/state" name="${page.sandbox}.state.json" what="data, snapshots, queue and faults, without the requests" />
      <${Download} label="Download HAR" path="__admin/requests/har" name="${page.sandbox}.har" what="the requests" />
      <${Scenario} />
      <${Load} gone=${gone} />
    </p>
    <p class="soft">Send the state; a colleague loads it here. The requests are a HAR, which opens in the network panel of a browser.</p>
    <${Line} label="Reset to a scenario" button="Start it" confirm="Reset everything${gone}?" send=${({ name }) => make({ method: "POST", path: `__admin/reset?to=scenario:${encodeURIComponent(name)}` }, `Scenario ${name} is loaded.`)}>
      <label>Scenario <select name="name">${(known?.scenarios ?? []).map((name) => html`<option value=${name}>${name}</option>`)}</select></label>
    <//>
    <h3>Snapshots</h3>
    <${Line} label="Save a snapshot" button="Save" send=${({ name }) => make({ method: "PUT", path: at(name) }, `Snapshot ${name} is saved.`)}>
      <${Field} label="Name" name="name" required pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*" title="Letters, digits, dots, _ and -; no blanks" placeholder="before-login" />
    <//>
    <${Table} label="Snapshots" columns=${columns} rows=${found.snapshots} empty="No snapshot. Save one to come back to this state." />
    <details><summary>Settings of the mock</summary><pre tabindex="0">${JSON.stringify(settings?.settings ?? {}, null, 2)}</pre></details></section>`;
}
