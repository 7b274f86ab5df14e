import { defineConfig } from "vite";

const { FREDDY_API_URL = "http://127.0.0.1:4010", FREDDY_API_KEY = "ak_demo_owner" } = process.env;

export default defineConfig({
  server: {
    proxy: {
      "^/(v1|__sandbox|__admin)/": {
        target: FREDDY_API_URL,
        configure(proxy) {
          proxy.on("proxyReq", (request) => {
            const hasKey = request.getHeader("X-API-Key") || request.getHeader("Authorization");
            if (!hasKey) request.setHeader("X-API-Key", FREDDY_API_KEY);
          });
          // Vite does not pass on that an answer broke off, and turns a reset connection into a 502.
          proxy.on("proxyRes", (answer, _, response) => answer.on("error", (error) => response.destroy(error)));
          proxy.on("error", (error, _, response) => "code" in error && error.code === "ECONNRESET" && response.destroy(error));
        },
      },
    },
  },
});
