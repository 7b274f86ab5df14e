// Imports openapi.yaml as a collection of requests: node import.mjs POSTMAN|BRUNO TOOLS SPEC CALLS URL OUTPUT.
// Each request is that of one call, in its sandbox, with the ids that were made for it.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const [tool, tools, spec, file, url, output] = process.argv.slice(2);
const require = createRequire(`${tools}/`);
const text = readFileSync(spec, "utf-8");
const calls = JSON.parse(readFileSync(file, "utf-8"));
const KEY = "ak_demo_owner";
const template = (path) => path.replace(/\{(\w+)\}/g, ":$1");
const callOf = (method, path) => calls.find((call) => call.method === method && template(call.path) === path);
const ids = (call, item) =>
  JSON.parse(Object.entries(call.made).reduce((whole, [old, id]) => whole.replaceAll(old, id), JSON.stringify(item)));
const requests = (items) => items.flatMap((item) => (item.items || item.item ? requests(item.items ?? item.item) : [item]));

async function postman() {
  const { convertV2 } = require("openapi-to-postmanv2");
  const options = { folderStrategy: "Tags", parametersResolution: "Example" };
  const made = await new Promise((done) => convertV2({ type: "string", data: text }, options, (_, answer) => done(answer)));
  const collection = made.output[0].data;
  const item = requests(collection.item).map((one) => {
    const call = callOf(one.request.method, `/${one.request.url.path.join("/")}`);
    const request = ids(call, { ...one, name: call.operation });
    request.request.header.push({ key: "X-Mock-Sandbox", value: call.sandbox });
    for (const part of request.request.body?.formdata ?? []) Object.assign(part, { type: "file", src: call.upload });
    return request;
  });
  const variable = [{ key: "baseUrl", value: url }, { key: "apiKey", value: KEY }];
  writeFileSync(output, JSON.stringify({ ...collection, item, variable }));
}

async function bruno() {
  const { openApiToBruno } = require("@usebruno/converters");
  const { items } = await openApiToBruno(text);
  const failed = {};
  for (const one of requests(items)) {
    const { request } = one;
    const path = request.url.replace("{{baseUrl}}", "");
    const call = callOf(request.method, path);
    const { params, body } = ids(call, request);
    const put = (address, { name, value }) => address.replace(`:${name}`, value);
    const address = params.filter((each) => each.type === "path").reduce(put, path);
    const query = params.filter((each) => each.type === "query" && each.enabled).map(({ name, value }) => [name, value]);
    const headers = { "X-API-Key": KEY, "X-Mock-Sandbox": call.sandbox };
    if (body.mode === "json") headers["Content-Type"] = "application/json";
    const form = new FormData();
    if (body.mode === "multipartForm")
      for (const { name } of body.multipartForm) form.append(name, new File([call.file], "handbook.md", { type: "text/markdown" }));
    const sent = { none: undefined, json: body.json, multipartForm: form }[body.mode];
    const answer = await fetch(`${url}${address}?${new URLSearchParams(query)}`, { method: request.method, headers, body: sent });
    if (!answer.ok) failed[call.operation] = `${answer.status} ${await answer.text()}`;
  }
  console.log(JSON.stringify(failed));
}

await { postman, bruno }[tool]();
