import { NextResponse } from "next/server";

const { FREDDY_API_URL = "http://127.0.0.1:4010", FREDDY_API_KEY = "ak_demo_owner" } = process.env;

export function proxy(request) {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  if (!headers.get("X-API-Key") && !headers.get("Authorization")) headers.set("X-API-Key", FREDDY_API_KEY);
  return NextResponse.rewrite(new URL(pathname + search, FREDDY_API_URL), { request: { headers } });
}

export const config = { matcher: ["/v1/:path*", "/__sandbox/:path*", "/__admin/:path*"] };
