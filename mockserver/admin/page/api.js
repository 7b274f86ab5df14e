/** Calls of the control API, and their form as curl. */

const [, above, named] = /^(.*?\/)(?:__sandbox\/([^/]+)\/)?__admin\/$/.exec(location.pathname) ?? [null, "/", ""];

/** Address of the mock, which ends with a slash. */
export const root = location.origin + above;
/** Sandbox that the page's own address names. */
export const ownSandbox = named ? decodeURIComponent(named) : "default";

/** Ids of the requests that this tab sent. */
export const ownRequests = new Set();

const KEPT = "freddy-mock-token";
/** Characters of a body that a shown command may have. */
const LONG = 1000;

/** Token of the control API; kept for this tab alone. */
export const token = {
  get: () => sessionStorage.getItem(KEPT) ?? "",
  set: (/** @type {string} */ value) => sessionStorage.setItem(KEPT, value),
};

/** @typedef {{ method?: string, path: string, body?: unknown, sandbox?: string }} Call */

/**
 * Headers of a call in a sandbox.
 * @param {string | undefined} sandbox
 * @param {Record<string, string>} extra
 */
export function headers(sandbox, extra = {}) {
  /** @type {Record<string, string>} */
  const sent = { ...extra };
  if (sandbox && sandbox !== "default") sent["X-Mock-Sandbox"] = sandbox;
  if (token.get()) sent.Authorization = `Bearer ${token.get()}`;
  return sent;
}

/** Refusal of a call; `status` is 0 if there was no answer. */
export class CallError extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

/**
 * JSON of a call's answer, or null; a CallError if it was refused.
 * @param {Call} wanted
 */
export const call = async (wanted) => (await answerOf(wanted)).json;

/**
 * Answer of a call: its status, and its JSON as in `call`.
 * @param {Call} wanted
 */
export async function answerOf({ method = "GET", path, body, sandbox }) {
  let answer;
  const used = token.get();
  try {
    answer = await fetch(root + path, {
      method,
      headers: headers(sandbox, body === undefined ? {} : { "Content-Type": "application/json" }),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new CallError(0, "The mock does not answer.");
  }
  if (answer.status === 401 && used !== token.get()) return answerOf({ method, path, body, sandbox }); // typed meanwhile
  const text = await answer.text();
  let json = null;
  try {
    json = text ? JSON.parse(text) : null;
  } catch {
    json = text;
  }
  if (!answer.ok) throw new CallError(answer.status, json?.detail || json?.title || `status ${answer.status}`);
  return { status: answer.status, json };
}

/** Saves a JSON value as a file. */
export function save(value, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(value, null, 2)], { type: "application/json" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Saves the JSON answer of a GET as a file. */
export async function download({ path, sandbox, name }) {
  save(await call({ path, sandbox }), name);
}

const quoted = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;

/**
 * The same call for a shell; the token is a variable.
 * @param {Call} wanted
 */
export function curl({ method = "GET", path, body, sandbox }) {
  const words = ["curl"];
  if (method !== "GET") words.push("-X", method);
  words.push(quoted(root + path));
  if (sandbox && sandbox !== "default") words.push("-H", quoted(`X-Mock-Sandbox: ${sandbox}`));
  if (token.get()) words.push("-H", '"Authorization: Bearer $MOCK_ADMIN_TOKEN"');
  const sent = body === undefined ? "" : JSON.stringify(body);
  if (sent) words.push("--json", sent.length > LONG ? "@FILE" : quoted(sent));
  return words.join(" ");
}

/** Puts a text into the clipboard, also where the page has no right to it, as over http in a local network. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}
