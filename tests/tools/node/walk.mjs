// Calls every operation with a generated TypeScript client: node walk.mjs GENERATOR FOLDER URL CALLS.
// Prints what failed, by operation.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [generator, folder, url, file] = process.argv.slice(2);
const client = createRequire(import.meta.url)(folder);
const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const title = (tag) => tag.replace(/(?:^| )(\w)/g, (_, letter) => letter.toUpperCase());
const lower = (name) => name[0].toLowerCase() + name.slice(1);
const headers = (call) => ({ "X-API-Key": "ak_demo_owner", "X-Mock-Sandbox": call.sandbox });
const upload = (call) => call.file && new File([call.file], "handbook.md", { type: "text/markdown" });
const fits = (call, place) => Object.entries(call.values).filter(([name]) => call.path.includes(`{${name}}`) === place);

const send = {
  async "openapi-generator"(call) {
    const api = new client[`${title(call.tag)}Api`](new client.Configuration({ basePath: url, headers: headers(call) }));
    const values = Object.entries(call.values).map(([name, value]) => [
      camel(name),
      name === "since" ? new Date(value) : value,
    ]);
    const body = call.body ? { [lower(call.body_schema)]: client[`${call.body_schema}FromJSON`](call.body) } : {};
    await api[call.operation]({ ...Object.fromEntries(values), ...body, ...(call.file && { files: [upload(call)] }) });
  },

  async "hey-api"(call) {
    await client[call.operation]({
      baseUrl: url,
      headers: headers(call),
      throwOnError: true,
      path: Object.fromEntries(fits(call, true)),
      query: Object.fromEntries(fits(call, false)),
      ...(call.body && { body: call.body }),
      ...(call.file && { body: { files: [upload(call)] } }),
    });
  },

  async orval(call) {
    const body = call.body ?? (call.file && { files: [upload(call)] });
    const query = Object.fromEntries(fits(call, false));
    const values = fits(call, true).sort((a, b) => call.path.indexOf(a[0]) - call.path.indexOf(b[0]));
    const parameters = [...values.map(([, value]) => value), ...(body ? [body] : []), ...(call.has_query ? [query] : [])];
    const answer = await client[call.operation](...parameters, { headers: headers(call) });
    if (answer.status >= 300) throw new Error(`${answer.status} ${JSON.stringify(answer.data)}`);
  },
};

const fetched = globalThis.fetch;
if (generator === "orval") globalThis.fetch = (path, options) => fetched(url + path, options);
const failed = {};
for (const call of JSON.parse(readFileSync(file, "utf-8")))
  try {
    await send[generator](call);
  } catch (error) {
    const text = error.response ? `${error.response.status} ${await error.response.text()}` : error.stack;
    failed[call.name] = (text ?? JSON.stringify(error)).slice(0, 300);
  }
console.log(JSON.stringify(failed));
