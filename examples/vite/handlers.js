import { http, HttpResponse, passthrough } from "msw";

export const handlers = (mock = "http://127.0.0.1:4010") => [
  http.all(`${mock}/*`, () => passthrough()),
  http.get("https://flags.example.com/", () => HttpResponse.json({ sharing: true })),
];
