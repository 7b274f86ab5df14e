/** Reads server-sent events with fetch, which can send a token, and starts again after a break. */

const PAUSE = 1000;

/** Calls `receive` with each event until `signal` is aborted; the last id is sent again after a break. */
export async function follow({ root, token }, receive, signal) {
  let last = null;
  while (!signal.aborted) {
    try {
      last = await once({ root, token, last }, receive, signal);
    } catch (error) {
      if (signal.aborted) return;
      receive({ event: "lost", status: error.status ?? 0 });
      if (error.status === 401) return;
      if (error.last !== undefined) last = error.last;
    }
    await new Promise((resume) => setTimeout(resume, PAUSE));
  }
}

async function once({ root, token, last }, receive, signal) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (last !== null) headers["Last-Event-ID"] = last;
  const answer = await fetch(`${root}__admin/events?sandbox=*`, { headers, signal });
  if (!answer.ok) throw Object.assign(new Error("refused"), { status: answer.status, last: null });
  receive({ event: "connected" });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return last;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const { id, data } = parsed(block);
        if (id !== null) last = id;
        if (data) receive(JSON.parse(data));
      }
    }
  } catch (error) {
    throw Object.assign(error, { last });
  }
}

function parsed(block) {
  let id = null;
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("id:")) id = line.slice(3).trim();
    if (line.startsWith("data:")) data.push(line.slice(5).trim());
  }
  return { id, data: data.join("\n") };
}
