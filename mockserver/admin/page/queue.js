/** Embedding queue: what ran, runs and will run, on one axis of time for each space. */

import { Action, Field, Line, Page, Table, useCall, useRead } from "./parts.js";
import { html, useContext, useEffect, useState } from "./preact-htm.js";

const MOST_JOBS = 500;
const MOST_BARS = 300;
const ROW = 8;
const WIDTH = 1000;

const BACKWARD = "The clock can't be moved backward: what has ended has ended. Reset in State, or freeze it at an instant in Clock.";

const time = (text) => Date.parse(text);

/**
 * Scale of instants in which stretches without any attempt are collapsed, and where those are.
 * @param {number[][]} spans
 * @param {number} now
 * @returns {{ x: (instant: number) => number, instant: (x: number) => number, gaps: number[], points: number[] }}
 */
export function scale(spans, now) {
  const points = [...new Set([now, ...spans.flat()])].sort((a, b) => a - b);
  const active = spans.map(([start, end]) => end - start).filter((length) => length > 0);
  const longest = 4 * Math.max(1, ...active.slice(0, 50));
  const places = [0];
  const gaps = [];
  for (let at = 1; at < points.length; at += 1) {
    const whole = points[at] - points[at - 1];
    const idle = !spans.some(([start, end]) => start < points[at] && end > points[at - 1]);
    if (idle && whole > longest) gaps.push(at);
    places.push(places[at - 1] + (idle && whole > longest ? longest / 4 : whole));
  }
  const all = places.at(-1) || 1;
  const x = (instant) => 20 + ((WIDTH - 40) * between(instant, points, places)) / all;
  const instant = (place) => Math.round(between(((place - 20) * all) / (WIDTH - 40), places, points));
  return { x, instant, gaps: gaps.map((at) => (x(points[at - 1]) + x(points[at])) / 2), points };
}

/** Value of `to` that belongs to a value among `from`; both ascend. */
function between(value, from, to) {
  const at = from.findIndex((each) => each >= value);
  if (at <= 0) return at < 0 ? to[to.length - 1] : to[0];
  return to[at - 1] + ((value - from[at - 1]) * (to[at] - to[at - 1])) / (from[at] - from[at - 1] || 1);
}

/** The mark of now: dragged, or moved by the arrows and set by Enter, it moves the clock forward. */
function Now({ space, axis, now, height }) {
  const page = useContext(Page);
  const make = useCall();
  const [to, move] = useState(now);
  useEffect(() => move(now), [now]);
  const last = Math.max(now, ...axis.points);
  const x = axis.x(to);
  const set = (wanted) => {
    const forward = Math.round((wanted - now) / 1000);
    if (forward > 0) make({ method: "PUT", path: "__admin/clock", body: { advance: forward } }, `The clock moved by ${forward} seconds.`);
    else {
      move(now);
      if (forward < 0) page.tell({ text: BACKWARD, curl: "", failed: true });
    }
  };
  const placed = (event) => {
    const svg = event.currentTarget.ownerSVGElement;
    return axis.instant(new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()).x);
  };
  const drag = (event) => event.currentTarget.hasPointerCapture(event.pointerId) && move(placed(event));
  const keys = {
    ArrowRight: () => move(axis.points.find((each) => each > to) ?? last),
    ArrowLeft: () => (to > now ? move(axis.points.findLast((each) => each < to) ?? now) : set(now - 1000)),
    End: () => move(last),
    Home: () => move(now),
    Escape: () => move(now),
    Enter: () => set(to),
  };
  const press = (event) => {
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  };
  const text = to === now ? "now" : new Date(to).toISOString().slice(11, 19);
  return html`<g class="now" role="slider" tabindex="0" aria-label="Now in ${space}" aria-valuemin=${now} aria-valuemax=${last} aria-valuenow=${to} aria-valuetext=${new Date(to).toISOString()}
    onKeyDown=${press} onPointerDown=${(event) => event.currentTarget.setPointerCapture(event.pointerId)} onPointerMove=${drag} onPointerUp=${(event) => set(placed(event))}>
    <title>Drag it forward, or press the arrows and Enter, to move the clock</title>
    <rect class="grip" x=${x - 10} y="0" width="20" height=${height} /><line x1=${x} x2=${x} y1="0" y2=${height} />
    <text x=${Math.min(x + 4, WIDTH - 54)} y="11">${text}</text></g>`;
}

function Timeline({ space, jobs, now }) {
  const shown = jobs.filter(({ attempts }) => attempts.length > 0).slice(0, MOST_BARS);
  if (shown.length === 0) return null;
  const spans = shown.flatMap(({ attempts }) => attempts.map(({ starts_at, ends_at }) => [time(starts_at), time(ends_at)]));
  const axis = scale(spans, now);
  const { x, gaps } = axis;
  const height = shown.length * ROW + 32;
  return html`<figure><figcaption>${space}: ${shown.length} jobs with attempts</figcaption>
    <svg viewBox="0 0 ${WIDTH} ${height}" role="group" aria-label="Attempts in ${space}">
      ${gaps.map((gap) => html`<text x=${gap} y="10" class="gap">⋯</text>`)}
      ${shown.map(({ attempts, message_id }, row) =>
        attempts.map(({ starts_at, ends_at, outcome }) => {
          const from = x(time(starts_at));
          const later = time(starts_at) > now ? "later" : time(ends_at) > now ? "running" : "";
          return html`<rect class="${outcome} ${later}" x=${from} y=${16 + row * ROW} width=${Math.max(2, x(time(ends_at)) - from)} height=${ROW - 2}>
            <title>${message_id}: ${outcome}, ${starts_at} to ${ends_at}</title></rect>`;
        }),
      )}
      <text x="4" y=${height - 2}>${new Date(Math.min(now, ...spans.flat())).toISOString().slice(11, 19)}</text>
      <text x=${WIDTH - 60} y=${height - 2}>${new Date(Math.max(now, ...spans.flat())).toISOString().slice(11, 19)}</text>
      <${Now} space=${space} axis=${axis} now=${now} height=${height} />
    </svg></figure>`;
}

function Policy({ policy }) {
  const make = useCall();
  const always = policy.retries + 1;
  const send = ({ mode, seconds, slots, every, attempts, retries }) =>
    make(
      {
        method: "PUT",
        path: "__admin/embeddings/policy",
        body: { mode, ...(Number(seconds) ? { seconds: Number(seconds) } : {}), slots: Number(slots), retries: Number(retries), ...(Number(every) ? { fail: { every: Number(every), ...(Number(attempts) && Number(attempts) !== always ? { attempts: Number(attempts) } : {}) } } : {}) },
      },
      "The policy is set; waiting jobs start over.",
    );
  return html`<${Line} label="Policy" button="Set" send=${send} key=${JSON.stringify(policy)}>
    <label>Mode <select name="mode">${["timed", "immediate", "manual"].map((each) => html`<option value=${each} selected=${each === policy.mode}>${each}</option>`)}</select></label>
    <${Field} label="Seconds a message" name="seconds" type="number" min="0" step="any" defaultValue=${policy.seconds} />
    <${Field} label="At once" name="slots" type="number" min="1" defaultValue=${policy.slots} />
    <${Field} label="Fail every n-th (0: none)" name="every" type="number" min="0" defaultValue=${policy.fail?.every ?? 0} />
    <${Field} label="Fails how often" name="attempts" type="number" min="1" defaultValue=${policy.fail?.attempts ?? 1} />
    <${Field} label="Retries" name="retries" type="number" min="0" max="100" required defaultValue=${policy.retries} />
  <//>`;
}

/** Attempt as it is told: what it did, does or will do. */
function told({ outcome, starts_at, ends_at }, now) {
  if (time(ends_at) <= now) return outcome;
  return `${time(starts_at) > now ? "to come" : "runs now"}: ${TO_COME[outcome] ?? outcome}`;
}

/** Sandbox and job -> attempts before its retries in this tab, each with `place`: the queue keeps those since the last retry. */
const EARLIER = new Map();

/** Attempts of a job before its retries, but for those before a reset. */
function earlier(page, id) {
  const reset = page.events.findLast(({ event, sandbox }) => event === "reset" && sandbox === page.sandbox);
  return (EARLIER.get(`${page.sandbox} ${id}`) ?? []).filter(({ place }) => place >= (reset?.place ?? 0));
}

function Attempts({ all, now }) {
  return html`<ol class="attempts">${all.map((each) => html`<li class="job ${each.outcome}" title=${each.starts_at}>${told(each, now)}</li>`)}</ol>`;
}

const TO_COME = { completed: "completes", failed: "fails", retried: "fails and is retried" };
const UNITS = { seconds: 1, minutes: 60, hours: 3600, days: 86400 };

function Advance() {
  const make = useCall();
  const [unit, setUnit] = useState("seconds");
  const [count, setCount] = useState(0);
  const move = () => make({ method: "PUT", path: "__admin/clock", body: { advance: count * UNITS[unit] } }, `The clock moved by ${count} ${unit}.`);
  return html`<form class="line" aria-label="Move now" onSubmit=${(event) => (event.preventDefault(), move())}>
    <label>Move “now” forward <input type="range" min="0" max="60" value=${count} onInput=${(event) => setCount(Number(event.target.value))} /></label>
    <output>${count}</output>
    <label>Unit <select value=${unit} onChange=${(event) => setUnit(event.target.value)}>${Object.keys(UNITS).map((each) => html`<option value=${each}>${each}</option>`)}</select></label>
    <button disabled=${count === 0}>Move</button><small>Or drag the mark of now in a timeline.</small>
  </form>`;
}

/** View of the queue. */
export function Queue() {
  const page = useContext(Page);
  const { state = "", space = "" } = page.params;
  const [retried, retry] = useState([]);
  const query = new URLSearchParams({ limit: String(MOST_JOBS), ...(state && !retried.length && { state }), ...(space && { space_id: space }) });
  const [found, error, again] = useRead(`__admin/embeddings?${query}`, { live: true });
  const [policy] = useRead("__admin/embeddings/policy");
  const runs = found !== null && policy?.mode === "timed" && found.counts.pending + found.counts.processing > 0;
  useEffect(() => {
    if (!runs) return undefined;
    const timer = setInterval(again, 2000);
    return () => clearInterval(timer);
  }, [runs]);
  if (error) return html`<p>${error}</p>`;
  if (!found || !policy) return html`<p>…</p>`;
  const now = time(found.now);
  const spaces = grouped(found.jobs);
  const post = (path) => ({ method: "POST", path: `__admin/embeddings/${path}` });
  const keep = ({ id, attempts }) => {
    retry([...retried, id]);
    EARLIER.set(`${page.sandbox} ${id}`, [...earlier(page, id), ...attempts.map((each) => ({ ...each, place: page.place }))]);
  };
  const job = (each) => html`
    <${Action} label="Complete" wanted=${post(`${each.id}/complete`)} done="The job is completed." />
    ${each.state === "failed"
      ? html`<${Action} label="Retry" wanted=${post(`${each.id}/retry`)} done="The job is queued again." then=${() => keep(each)} />`
      : html`<${Action} label="Fail" wanted=${post(`${each.id}/fail`)} done="The job has failed." />`}`;
  const shown = found.jobs.filter((each) => !state || each.state === state || retried.includes(each.id));
  const rows = shown.sort((a, b) => Number(b.id) - Number(a.id)).slice(0, 200);
  const columns = [
    ["Job", ({ id }) => id],
    ["Space", ({ space_id }) => html`<button class="value" type="button" onClick=${() => page.go({ space: space_id })}>${space_id}</button>`],
    ["Thread", ({ thread_id }) => thread_id],
    ["Message", ({ message_id }) => message_id],
    ["Attempts", ({ id, attempts }) => html`<${Attempts} all=${[...earlier(page, id), ...attempts]} now=${now} />`],
    ["State", ({ state: of }) => html`<span class="job ${of}">${of}</span>`],
    ["Next end", ({ attempts }) => attempts.find(({ ends_at }) => time(ends_at) > now)?.ends_at ?? ""],
    ["Actions", (each) => (each.state === "completed" ? "" : job(each))],
  ];
  return html`<section><h2>Embedding queue</h2>
    <p>At <time>${found.now}</time>: ${Object.entries(found.counts).map(([name, count]) => html`<button type="button" class="job ${name}" aria-pressed=${name === state} onClick=${() => (retry([]), page.go({ state: name === state ? null : name }))}>${count} ${name}</button> `)}
      <button type="button" onClick=${again}>Read again</button>${space && html`<button type="button" class="chip" onClick=${() => page.go({ space: null })}>space ${space} ✕</button>`}</p>
    <p class="line">
      <${Action} label="Pause" wanted=${{ method: "PUT", path: "__admin/embeddings/policy", body: { mode: "manual" } }} done="Nothing ends before a step or a drain." />
      <${Action} label="Step" wanted=${post("step")} done="One attempt has ended." />
      <${Action} label="Step 10" wanted=${post("step?n=10")} done="Up to ten attempts have ended." />
      <${Action} label="Drain" wanted=${post("drain")} done="All jobs have ended." />
    </p>
    <${Policy} policy=${policy} /><${Advance} />
    <p class="legend"><span class="job completed">■ completes</span> <span class="job failed">■ fails</span> <span class="job retried">■ fails and is retried</span>; pale: to come; with a border: runs now.</p>
    ${[...spaces].map(([name, jobs]) => html`<${Timeline} space=${name} jobs=${jobs} now=${now} />`)}
    <${Table} label="Jobs" columns=${columns} rows=${rows} empty=${state || space ? "No job fits the filters." : "No job. Add a thread to a space: its messages are queued."} />
    ${found.has_more && html`<p>The first ${MOST_JOBS} jobs are read; choose a state or a space.</p>`}</section>`;
}

/** Space -> its jobs. */
function grouped(jobs) {
  const found = new Map();
  for (const job of jobs) found.set(job.space_id, [...(found.get(job.space_id) ?? []), job]);
  return found;
}
