"use strict";

const spec = new URLSearchParams(location.search).get("spec") ?? "openapi";

for (const link of document.querySelectorAll("nav a")) {
  if (link.search === `?spec=${spec}`) link.setAttribute("aria-current", "page");
}

SwaggerUIBundle({
  dom_id: "#docs",
  url: new URL(`specs/${encodeURIComponent(spec)}.json`, location.href).href,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  validatorUrl: null,
});
