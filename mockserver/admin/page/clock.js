/** Clock of the sandbox. */

import { Action, Field, Line, Ticking, useCall, useRead } from "./parts.js";
import { html } from "./preact-htm.js";

const STEPS = [["1 minute", 60], ["1 hour", 3600], ["1 day", 86400], ["1 week", 604800]];

/** View of the clock. */
export function Clock() {
  const make = useCall();
  const [clock, error, again] = useRead("__admin/clock");
  if (error) return html`<p>${error}</p>`;
  if (!clock) return html`<p>…</p>`;
  const set = (body) => ({ method: "PUT", path: "__admin/clock", body });
  const freeze = async () => {
    const found = await make({ path: "__admin/clock" });
    if (found) await make(set({ freeze: found.now }), "The clock stands still.");
  };
  const advance = async (body) => {
    const moved = await make(set(body), "The clock moved.");
    if (moved) again();
  };
  return html`<section><h2>Clock</h2>
    <p class="big"><${Ticking} ...${clock} /> ${clock.frozen ? "frozen" : "ticking"} <button type="button" onClick=${again}>Read again</button></p>
    <p class="line">
      ${clock.frozen
        ? html`<${Action} label="Resume" wanted=${set({ resume: true })} done="The clock ticks." />`
        : html`<button type="button" onClick=${freeze}>Freeze here</button>`}
      ${STEPS.map(([label, seconds]) => html`<${Action} label="Forward ${label}" wanted=${set({ advance: seconds })} done="The clock moved by ${label}." />`)}
    </p>
    <${Line} label="Freeze at" button="Freeze" send=${({ instant }) => make(set({ freeze: instant }), "The clock stands still.")}>
      <${Field} label="Instant" name="instant" required placeholder="2026-02-26T10:30:00Z" defaultValue=${clock.now} />
    <//>
    <${Line} label="Advance by" button="Advance" send=${({ duration }) => advance({ advance: duration })}>
      <${Field} label="Duration" name="duration" required placeholder="PT90M" />
    <//></section>`;
}
