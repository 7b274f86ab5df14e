/** Threads of a space over plain fetch, typed by openapi.yaml: `npm run types` writes freddy.ts. */
import type { components, paths } from "./freddy";

type ThreadPath = "/v1/spaces/{space_id}/threads/{thread_id}";
type ListPath = "/v1/spaces/{space_id}/threads";
type Answer<Operation, Status extends number> = Operation extends {
  responses: Record<Status, { content: { "application/json": infer Body } }>;
}
  ? Body
  : never;

export type Added = Answer<paths[ThreadPath]["post"], 201>;
export type Page = Answer<paths[ListPath]["get"], 200>;
export type Thread = Page["data"][number];
export type Refusal = components["schemas"]["ForbiddenError" | "NotFoundError"];

/** What the API refused, with its code: the part that programs decide by. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.error.system_message);
    this.refusal = refusal;
  }
}

export class Spaces {
  private readonly url: string;
  private readonly apiKey: string;

  /** `url` is the mock's (http://127.0.0.1:4010) or the vendor's; nothing else differs. */
  constructor(url: string, apiKey: string) {
    this.url = url;
    this.apiKey = apiKey;
  }

  async addThread(spaceId: string, threadId: string): Promise<Added> {
    return (await this.ask("POST", `/v1/spaces/${spaceId}/threads/${threadId}`)) as Added;
  }

  /** Every thread of the space, page by page. */
  async *threads(spaceId: string, limit = 50): AsyncGenerator<Thread> {
    let cursor: string | null = null;
    do {
      const query: Record<string, string> = { limit: String(limit), ...(cursor === null ? {} : { cursor }) };
      const path = `/v1/spaces/${spaceId}/threads?${new URLSearchParams(query)}`;
      const page = (await this.ask("GET", path)) as Page;
      yield* page.data;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  private async ask(method: "GET" | "POST", path: string): Promise<unknown> {
    const response = await fetch(this.url + path, { method, headers: { "X-API-Key": this.apiKey } });
    if (!response.ok) {
      throw new Refused((await response.json()) as Refusal);
    }
    return response.json();
  }
}
