const { FREDDY_API_URL = "http://127.0.0.1:4010", FREDDY_API_KEY = "ak_demo_owner" } = process.env;

const mock = {
  target: FREDDY_API_URL,
  configure(proxy) {
    proxy.on("proxyReq", (request) => {
      const hasKey = request.hasHeader("X-API-Key") || request.hasHeader("Authorization");
      if (!hasKey) request.setHeader("X-API-Key", FREDDY_API_KEY);
    });
    // Vite does not pass on that an answer broke off, and turns a reset connection into a 502.
    proxy.on("proxyRes", (answer, _, response) => answer.on("error", (error) => response.destroy(error)));
    proxy.on("error", (error, _, response) => error.code === "ECONNRESET" && response.destroy(error));
  },
};

export default {
  server: { proxy: { "/v1": mock, "/__sandbox": mock, "/__admin": mock } },
};
