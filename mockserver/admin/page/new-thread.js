/** Small form for a new thread. */

import { Field, Line, Page, useCall, useRead } from "./parts.js";
import { html, useContext, useState } from "./preact-htm.js";

const DAY = 86_400_000;
const AGES = { now: 0, "1 day ago": DAY, "1 week ago": 7 * DAY };
const DATE = "at a date";

/** Instant of an age, or of midnight of a date, in whole seconds. */
const instant = (created, date, now) => (created === DATE ? `${date}T00:00:00Z` : `${new Date(Date.parse(now) - AGES[created]).toISOString().slice(0, 19)}Z`);

/** Form for a thread with this id; `then` is called after it is stored. */
export function NewThread({ id, then }) {
  const page = useContext(Page);
  const make = useCall();
  const [created, choose] = useState("now");
  const [users] = useRead("__admin/records/users?limit=1000", { once: true });
  const [spaces] = useRead("__admin/records/spaces?limit=1000", { once: true });
  const people = (users?.records ?? []).filter(({ record }) => record.member_of.length > 0);
  const send = async ({ title, owner, date, pinned, space }) => {
    const clock = await make({ path: "__admin/clock" });
    if (!clock) return;
    const organization_id = (spaces?.records ?? []).find((each) => each.id === space)?.record.organization_id ?? people.find((each) => each.id === owner).record.member_of[0].organization;
    const created_at = instant(created, date, clock.now);
    const body = { organization_id, user_id: owner, title, created_at, ...(pinned ? { is_pinned: true, pinned_at: created_at } : {}) };
    if (!(await make({ method: "PUT", path: `__admin/records/threads/${id}`, body }, `${id} is added.`))) return;
    if (space && !(await make({ method: "PUT", path: `__admin/records/links/${encodeURIComponent(`${space}~${id}`)}`, body: {} }, `${id} is added to ${space}.`))) return;
    then();
    page.go({ id });
  };
  return html`<${Line} label="New thread" button="Add the thread" send=${send}>
    <${Field} label="Title" name="title" required defaultValue="New thread" />
    <label>Owner <select name="owner">${people.map((each) => html`<option value=${each.id}>${each.id} (${each.record.name})</option>`)}</select></label>
    <label>Created <select value=${created} onChange=${(event) => choose(event.target.value)}>${[...Object.keys(AGES), DATE].map((each) => html`<option value=${each}>${each}</option>`)}</select></label>
    ${created === DATE && html`<${Field} label="Date" name="date" type="date" required />`}
    <label>Pinned <input type="checkbox" name="pinned" /></label>
    <label>In the space <select name="space"><option value="">none</option>${(spaces?.records ?? []).map((each) => html`<option value=${each.id}>${each.id} (${each.record.name})</option>`)}</select></label>
  <//>`;
}
