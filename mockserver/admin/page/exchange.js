/** One exchange: the steps that decided it, request, answer, and what can be done with it. */

import { ownRequests, root } from "./api.js";
import { Difference } from "./changes.js";
import { Action, Copy, Line, Page, Status, heldAt, pretty, useRead } from "./parts.js";
import { html, useContext, useEffect } from "./preact-htm.js";

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const KEPT = /^(accept|content-type|prefer|x-mock-.*|idempotency-key)$/;

const KIND_OF = { space: "spaces", thrd: "threads", msg: "messages", vs: "stores", file: "files", usr: "users" };

/** Headers that a repetition needs; the key is masked in the journal, so a variable stands for it. */
const sentHeaders = ({ headers }) => Object.entries(headers).filter(([name]) => KEPT.test(name));

/** The request for a shell. */
export function asCurl({ request }) {
  const words = [`curl -i -X ${request.method} ${quoted(root + request.url.slice(1))}`];
  words.push('-H "X-API-Key: $FREDDY_API_KEY"');
  for (const [name, value] of sentHeaders(request)) words.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (request.body) words.push(`--data-raw ${quoted(request.body)}`);
  return words.join(" \\\n  ");
}

/** The request for a browser. */
export function asFetch({ request }) {
  const headers = { "X-API-Key": "ak_demo_owner", ...Object.fromEntries(sentHeaders(request)) };
  const options = { method: request.method, headers, ...(request.body ? { body: request.body } : {}) };
  return `await fetch(${JSON.stringify(root + request.url.slice(1))}, ${JSON.stringify(options, null, 2)});`;
}

/** Assertion in a test with Playwright, whose `request` sends to the control API of the sandbox. */
export function asPlaywright({ request, response, sandbox }) {
  const criteria = { method: request.method, urlPath: request.url.split("?")[0], status: response.status };
  const url = `${root}${sandbox === "default" ? "" : `__sandbox/${sandbox}/`}__admin/verify`;
  return `expect(await request.post(${JSON.stringify(url)}, { data: ${JSON.stringify({ request: criteria, exactly: 1 })} })).toBeOK();`;
}

/** Assertion in a test with the pytest plugin. */
export function asPytest({ request, response }) {
  const criteria = JSON.stringify({ method: request.method, urlPath: request.url.split("?")[0], status: response.status });
  return `mock.verify(request=${criteria}, exactly=1)`;
}

/** Key of this exchange: the journal has none, but the person, and the state of a key that was refused. */
function keyOf({ caller, decision }, keys) {
  const refused = decision.steps.map(({ text }) => /^a key of (\S+) that is (\w+)/.exec(text)).find(Boolean);
  const [user, state] = refused ? refused.slice(1) : [caller, "active"];
  return keys.find(({ record }) => record.user_id === user && record.state === state)?.id;
}

/** Sends the request again, as the person of a key. */
function Again({ found }) {
  const page = useContext(Page);
  const [keys] = useRead("__admin/records/keys?limit=1000", { once: true });
  const send = async ({ key }) => {
    const { method, url, body } = { ...found.request };
    const headers = Object.fromEntries(sentHeaders(found.request));
    if (page.sandbox !== "default") headers["x-mock-sandbox"] = page.sandbox;
    const sent = { method, headers: { ...headers, "X-API-Key": key }, ...(body && method !== "GET" ? { body } : {}) };
    try {
      const answer = await fetch(root + url.slice(1), sent);
      const id = answer.headers.get("x-request-id");
      ownRequests.add(id);
      page.tell({ text: `Sent again as ${key}: ${answer.status}.`, curl: "", failed: false, more: { label: "Open the exchange", params: { id }, view: "requests" } });
    } catch {
      page.tell({ text: "There was no answer.", curl: "", failed: true });
    }
  };
  if (found.request.body_cut) return null; // the journal has not all of it
  const [active, others] = [true, false].map((is) => (keys?.records ?? []).filter(({ record }) => (record.state === "active") === is));
  const own = keyOf(found, [...active, ...others]);
  return html`<${Line} label="Send again" button="Send again" send=${send}>
    <label>Send again as <select name="key">${[...active, ...others].map(({ id, record }) => html`<option value=${id} selected=${id === own}>${id} (${record.user_id}${record.state === "active" ? "" : `, ${record.state}`})</option>`)}</select></label>
  <//>`;
}

/** Rules that hold answers now, which can be released; `fault`: of an exchange that is looked at. */
function Held({ fault, status, again }) {
  const [rules, , look] = useRead("__admin/faults", { live: true });
  useEffect(() => {
    const timer = setInterval(() => (look(), again()), 1000);
    return () => clearInterval(timer);
  }, []);
  const held = (rules?.faults ?? []).filter(({ id, name, waiting }) => waiting > 0 && (!fault || fault.split(";")[0] === (name ?? id)));
  return held.map(({ id, name, hold }) => html`<p class="line" key=${id}>${fault ? `${status}, ` : ""}${heldAt({ hold })} (rule ${name ?? id}).
    <${Action} label="Release" wanted=${{ method: "POST", path: `__admin/faults/${encodeURIComponent(id)}/release` }} done="What waited goes on." then=${again} /></p>`);
}

/** Fault that answers with the same status and body; null where that can't be. */
function sameAnswer({ response }) {
  const { status, headers, body, body_cut } = response;
  const type = headers["content-type"] ?? "";
  if (body_cut || type.startsWith("text/event-stream") || type.startsWith("application/octet-stream")) return null;
  if (!body) return { error: { status } };
  try {
    return { error: /\bjson\b/.test(type) ? { status, body: JSON.parse(body) } : { status, body, content_type: type.split(";")[0] } };
  } catch {
    return null; // broken by a fault
  }
}

function Headers({ headers }) {
  return html`<dl>${Object.entries(headers).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function Side({ title, side, head }) {
  return html`<section><h4>${title}</h4><p><code>${head}</code></p>
    <details><summary>Headers</summary><${Headers} headers=${side.headers} /></details>
    ${side.body && html`<pre tabindex="0">${pretty(side.body)}</pre>`}
    ${side.body_cut && html`<p>${side.body_bytes} bytes in all; the journal keeps the beginning.</p>`}
  </section>`;
}

/** Id of a record, which opens it in Data if its kind is known. */
function RecordLink({ id }) {
  const page = useContext(Page);
  const kind = KIND_OF[id.split("_")[0]];
  if (!kind) return html`<code>${id}</code>`;
  return html`<a href="#" onClick=${(event) => (event.preventDefault(), page.go({ kind, id, show: null, search: null }, "data"))}>${id}</a>`;
}

function Decision({ decision }) {
  const { steps, claim, rule, record } = decision;
  return html`<h4>Why</h4>
    <ol class="steps">${steps.map(({ step, outcome, text }) => html`<li class=${outcome}><strong>${step}</strong> ${outcome}: ${text}</li>`)}</ol>
    ${(rule || record) && html`<p>${rule && html`Rule <code>${rule}</code>. `}${record && html`Record <${RecordLink} id=${record} />.`}</p>`}
    ${claim && html`<p>The document says: ${claim.text} <span class="evidence">${claim.evidence}</span></p>`}`;
}

/** Panel of the exchange with this id. */
export function Exchange({ id }) {
  const page = useContext(Page);
  const [found, error, again] = useRead(`__admin/requests/${encodeURIComponent(id)}`, { once: true });
  const close = html`<button type="button" onClick=${() => page.go({ id: null })}>Close</button>`;
  const waits = error && page.events.some((each) => each.event === "begun" && each.id === id);
  if (waits) return html`<aside aria-label="Exchange"><p>It has no answer yet.</p><${Held} again=${again} />${close}</aside>`;
  if (error) return html`<aside aria-label="Exchange"><p>${error}</p>${close}</aside>`;
  if (!found) return html`<aside aria-label="Exchange"><p>…</p></aside>`;
  const { request, response, operation } = found;
  const fail = (more) => ({ method: "POST", path: "__admin/faults", body: { ...(operation ? { operation } : {}), times: 1, ...more } });
  const same = sameAnswer(found);
  return html`<aside aria-label="Exchange">
    <h3>${request.method} ${request.url} <${Status} row=${{ status: response.status, reason: found.why.at(-1) }} /> ${close}</h3>
    ${!found.complete && found.fault && html`<${Held} fault=${found.fault} status=${response.status} again=${again} />`}
    <${Decision} decision=${found.decision} />
    ${found.violations.length > 0 && html`<h4>Violations of the document</h4><ul>${found.violations.map((each) => html`<li><code>${each.pointer}</code> ${each.message}</li>`)}</ul>`}
    <${Side} title="Answer" side=${response} head="${response.status} after ${found.milliseconds.toFixed(1)} ms, ${found.source}" />
    <p class="line">
      <${Copy} label="Copy curl" text=${() => asCurl(found)} />
      <${Copy} label="Copy fetch" text=${() => asFetch(found)} />
      <${Copy} label="Copy pytest" text=${() => asPytest(found)} />
      <${Copy} label="Copy Playwright" text=${() => asPlaywright(found)} />
      ${response.status >= 400 && html`<${Action} label="Fail the next like this" wanted=${fail({ error: { status: response.status } })} done="The next one is answered with ${response.status}." />`}
      ${same && html`<${Action} label="Answer the next with this" wanted=${fail(same)} done="The next one has the same answer." />`}
      <${Action} label="Hold the next" wanted=${fail({ hold: {} })} done="The next one waits until it is released in Faults." />
      <${Action} label="Delay the next by 3 s" wanted=${fail({ delay: 3000 })} done="The next one waits for 3 seconds." />
    </p>
    <${Again} found=${found} />
    ${operation && html`<${Difference} exchange=${found} />`}
    <${Side} title="Request" side=${request} head="${request.method} ${request.url}" />
  </aside>`;
}
