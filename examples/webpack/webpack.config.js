const { FREDDY_API_URL = "http://127.0.0.1:4010", FREDDY_API_KEY = "ak_demo_owner", PORT = "8080" } = process.env;

export default {
  devServer: {
    port: Number(PORT),
    static: false,
    compress: false,
    proxy: [
      {
        context: ["/v1", "/__sandbox", "/__admin"],
        target: FREDDY_API_URL,
        onProxyReq(request) {
          const hasKey = request.getHeader("X-API-Key") || request.getHeader("Authorization");
          if (!hasKey) request.setHeader("X-API-Key", FREDDY_API_KEY);
        },
        // A proxy does not pass on by itself that an answer broke off.
        onProxyRes: (answer, _, response) => answer.on("error", (error) => response.destroy(error)),
        onError: (_, __, response) => response.destroy(),
      },
    ],
  },
};
