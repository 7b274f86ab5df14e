// A browser's way to read a stream: fetch, the reader over response.body, an AbortController.
// node streams.mjs read|abort URL; prints one line of JSON.
const [, , what, url] = process.argv;
const abort = new AbortController();
const response = await fetch(`${url}/v1/model/response`, {
  method: "POST",
  headers: {"X-API-Key": "ak_demo_owner", "Content-Type": "application/json"},
  body: JSON.stringify({stream: true, inputs: [{role: "user", content: "Where is the booth?"}]}),
  signal: abort.signal,
});
const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();

async function* events() {
  let text = "";
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) yield block.replace(/^id: \d+\n/, "").slice("data: ".length);
  }
}

const result = {type: response.headers.get("content-type"), events: []};
try {
  for await (const event of events()) {
    result.events.push(event);
    if (what === "abort" && event.includes("response.created")) abort.abort();
  }
} catch (error) {
  result.error = error.name;
}
if (what === "abort") result.next = (await fetch(`${url}/__admin/health`)).status;
console.log(JSON.stringify(result));
