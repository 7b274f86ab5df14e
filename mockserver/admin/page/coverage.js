/** Documented answers that were seen, and answers that broke the document. */

import { Page, Table, useRead } from "./parts.js";
import { html, useContext } from "./preact-htm.js";

/** View of coverage and violations. */
export function Coverage() {
  const page = useContext(Page);
  const [found, error, again] = useRead(`__admin/coverage${page.params.everywhere ? "?everywhere=true" : ""}`);
  const [broken, refused] = useRead("__admin/violations");
  if (error || refused) return html`<p>${error || refused}</p>`;
  if (!found || !broken) return html`<p>…</p>`;
  const rows = found.operations.filter(({ count }) => !page.params.unseen || count === 0);
  const answer = ({ status, code, count, described }) =>
    html`<span class="answer ${count ? "seen" : ""} ${described ? "" : "undescribed"}" title="${count} times">${status}${code ? ` ${code}` : ""}${count ? ` ×${count}` : ""}</span> `;
  const columns = [["Operation", ({ operation }) => operation], ["Calls", ({ count }) => count], ["Answers", ({ answers }) => answers.map(answer)]];
  return html`<section><h2>Coverage</h2>
    <p><progress aria-label="Documented answers seen" max=${found.described} value=${found.seen}></progress> ${found.seen} of ${found.described} documented answers were seen; ${found.unmatched} requests met no operation.
      <button type="button" onClick=${again}>Read again</button>
      <label><input type="checkbox" checked=${!!page.params.everywhere} onChange=${(event) => page.go({ everywhere: event.target.checked ? "1" : null })} /> all sandboxes</label>
      <label><input type="checkbox" checked=${!!page.params.unseen} onChange=${(event) => page.go({ unseen: event.target.checked ? "1" : null })} /> only operations without a call</label></p>
    <h3>Violations</h3>
    ${broken.count === 0 ? html`<p>No answer of the mock broke the document.</p>` : html`<p>${broken.count} answers broke the document.</p><pre tabindex="0">${JSON.stringify(broken.violations, null, 2)}</pre>`}
    <${Table} label="Operations" columns=${columns} rows=${rows} empty="Every operation was called." /></section>`;
}
