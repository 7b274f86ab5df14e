/** Parts that the views share. */

import { CallError, answerOf, call, copy, curl, download } from "./api.js";
import { createContext, html, useContext, useEffect, useRef, useState } from "./preact-htm.js";

/** What every view can reach: sandbox, parameters of the address, `go`, `tell`, `changes`. */
export const Page = createContext(null);

/**
 * Makes a call, tells what came of it at the foot of the page, and returns the answer; null if it was refused. The text
 * may depend on the status and the answer; `more`: a button beside it, {label, params, view}.
 */
export function useCall() {
  const page = useContext(Page);
  return async (wanted, /** @type {string | ((status: number, json: any) => string)} */ done = "", more = null) => {
    const made = { sandbox: page.sandbox, ...wanted };
    try {
      const { status, json } = await answerOf(made);
      page.tell({ text: typeof done === "function" ? done(status, json) : done, curl: curl(made), failed: false, more });
      return json ?? {};
    } catch (error) {
      page.tell({ text: error.message, curl: curl(made), failed: true });
      if (error instanceof CallError && error.status === 401) page.ask();
      return null;
    }
  };
}

/**
 * Answer of a GET: [answer, error, read again]. It is read again after each change by the control API, with `live`
 * after each call that may have changed a record, and with `once` not by itself.
 */
export function useRead(path, { live = false, once = false } = {}) {
  const page = useContext(Page);
  const [state, set] = useState({ answer: null, error: "" });
  const [round, again] = useState(0);
  const name = page.sandbox;
  useEffect(() => {
    let current = true;
    call({ path, sandbox: name }).then(
      (answer) => current && set({ answer, error: "" }),
      (error) => {
        if (!current) return;
        if (error.status === 401) page.ask();
        set({ answer: null, error: error.message });
      },
    );
    return () => {
      current = false;
    };
  }, [path, name, round, once ? 0 : live ? page.writes : page.changes]);
  return [state.answer, state.error, () => again((number) => number + 1)];
}

/** Question before something is lost: a button that does it, and one that does not. */
export function Question({ text, label, yes, no }) {
  const first = useRef(null);
  useEffect(() => first.current?.focus(), []);
  return html`<span class="question" role="alert">${text} <button type="button" class="danger" ref=${first} onClick=${yes}>${label}</button>${" "}<button type="button" onClick=${no}>Keep it</button></span>`;
}

/** Button that makes a call; its title is the call as curl. */
export function Action({ label, wanted, done, then, kind = "", confirm = "" }) {
  const page = useContext(Page);
  const make = useCall();
  const [asked, ask] = useState(false);
  const run = async () => {
    ask(false);
    const answer = await make(wanted, done ?? label);
    if (answer !== null) then?.(answer);
  };
  if (asked) return html`<${Question} text=${confirm} label=${label} yes=${run} no=${() => ask(false)} />`;
  const title = curl({ sandbox: page.sandbox, ...wanted });
  return html`<button type="button" class=${kind} title=${title} onClick=${confirm ? () => ask(true) : run}>${label}</button>`;
}

/** Button that copies a text. */
export function Copy({ label, text }) {
  const page = useContext(Page);
  const run = async () => {
    await copy(typeof text === "function" ? await text() : text);
    page.tell({ text: "Copied.", curl: "", failed: false });
  };
  return html`<button type="button" onClick=${run}>${label}</button>`;
}

/** Button that saves the JSON answer of a GET as a file; `what` tells what is in it. */
export function Download({ label, path, name, what }) {
  const page = useContext(Page);
  const run = () =>
    download({ path, name, sandbox: page.sandbox }).then(
      () => page.tell({ text: `Saved as ${name}: ${what}.`, curl: curl({ path, sandbox: page.sandbox }), failed: false }),
      (error) => page.tell({ text: error.message, curl: "", failed: true }),
    );
  return html`<button type="button" title=${curl({ path, sandbox: page.sandbox })} onClick=${run}>${label}</button>`;
}

/** Form with one line of fields; `send` gets their values by name, after a question if there is a `confirm`. */
export function Line({ label, children, send, button, confirm = "" }) {
  const [asked, ask] = useState(null);
  const submit = (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.target));
    if (confirm) ask(values);
    else send(values);
  };
  return html`<form class="line" aria-label=${label} onSubmit=${submit}>${children}
    ${asked ? html`<${Question} text=${confirm} label=${button} yes=${() => (ask(null), send(asked))} no=${() => ask(null)} />` : html`<button>${button}</button>`}</form>`;
}

/** Field with its label. */
export function Field({ label, ...rest }) {
  return html`<label>${label} <input ...${rest} /></label>`;
}

/** Suggestions for the field whose `list` is this id; `names` takes them from the answer of a GET. */
export function Suggestions({ id, path, names }) {
  const [found] = useRead(path, { once: true });
  return html`<datalist id=${id}>${(found ? names(found) : []).map((name) => html`<option value=${name} />`)}</datalist>`;
}

/** Suggestions of operationIds. */
export function Operations() {
  return html`<${Suggestions} id="operations" path="__admin/coverage" names=${({ operations }) => operations.map(({ operation }) => operation)} />`;
}

/** Table of rows; `columns`: [title, cell of a row]. */
export function Table({ label, columns, rows, empty }) {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>
    <table>
      <thead><tr>${columns.map(([title]) => html`<th scope="col">${title}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.id ?? row.name ?? row.operation}>${columns.map(([, cell]) => html`<td>${cell(row)}</td>`)}</tr>`)}</tbody>
    </table>
  </div>`;
}

/** Time of a sandbox, which goes on unless it is frozen. */
export function Ticking({ now, frozen }) {
  const [passed, pass] = useState(0);
  useEffect(() => {
    pass(0);
    if (frozen) return undefined;
    const begun = Date.now();
    const timer = setInterval(() => pass(Date.now() - begun), 1000);
    return () => clearInterval(timer);
  }, [now, frozen]);
  return html`<time>${frozen ? now : `${new Date(Date.parse(now) + passed).toISOString().slice(0, 19)}Z`}</time>`;
}

/** Status of an exchange, with what keeps a page from it. */
export function Status({ row, held = "" }) {
  const status = held ? "held" : row.status;
  const unreadable = row.reason?.includes(" may not read this answer") ?? false;
  return html`<span class="status ${unreadable ? "unreadable" : `s${Math.floor(Number(status) / 100) || "open"}`}">${status}${unreadable ? " unreadable" : ""}</span>`;
}

/** Where a rule holds an answer, as words. */
export const heldAt = ({ hold }) => `held ${hold.after_events ? `after ${hold.after_events} events` : "before its answer"}`;

/** Text of a body, indented if it is JSON. */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
