/** Who may do what in a space: people and operations, and the rule behind each level. */

import { Page, useRead } from "./parts.js";
import { html, useContext } from "./preact-htm.js";

const held = ({ level, rule }) => (rule === null ? "no access by any rule" : `${level} by ${rule}`);

/** Matrix of a space. */
export function Access() {
  const page = useContext(Page);
  const [spaces, error] = useRead("__admin/records/spaces?limit=1000", { live: true });
  if (error) return html`<p>${error}</p>`;
  if (!spaces) return html`<p>…</p>`;
  if (spaces.records.length === 0) return html`<p class="empty">No space. Add one in Records.</p>`;
  const known = spaces.records.map(({ id }) => id);
  const chosen = known.includes(page.params.space) ? page.params.space : known[0];
  return html`<p class="line"><label>Space <select value=${chosen} onChange=${(event) => page.go({ space: event.target.value })}>
      ${spaces.records.map(({ id, record }) => html`<option value=${id}>${id} (${record.name})</option>`)}</select></label>
      <button type="button" onClick=${() => page.go({ show: null, kind: "spaces", id: chosen })}>Open the space</button></p>
    <${Matrix} space=${chosen} key=${chosen} />`;
}

function Matrix({ space }) {
  const [found, error] = useRead(`__admin/access/${encodeURIComponent(space)}`, { live: true });
  if (error) return html`<p>${error}</p>`;
  if (!found) return html`<p>…</p>`;
  return html`<p class="soft">Answers of the operations themselves. A level includes the lower ones: VIEW, EDIT, OWNER.</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Who may do what"><table class="matrix">
      <thead><tr><th scope="col">Operation</th><th scope="col">Needs</th>
        ${found.people.map((each) => html`<th scope="col" title=${each.name}>${each.user_id}<br /><small>${held(each)}</small></th>`)}</tr></thead>
      <tbody>${found.operations.map(
        ({ operation, fields, needed, allowed }) => html`<tr key=${operation + fields}>
          <th scope="row">${operation}${fields.length > 0 && html`<br /><small>with ${fields.join(", ")}</small>`}</th><td>${needed}</td>
          ${found.people.map(({ user_id }) => html`<td class=${allowed.includes(user_id) ? "yes" : "no"}>${allowed.includes(user_id) ? "✓ yes" : "✗ no"}</td>`)}</tr>`,
      )}</tbody></table></div>`;
}
