const { FREDDY_API_URL = "http://127.0.0.1:4010", FREDDY_API_KEY = "ak_demo_owner" } = process.env;

export default {
  server: {
    proxy: {
      "/v1": { target: FREDDY_API_URL, headers: { "X-API-Key": FREDDY_API_KEY } },
    },
  },
};
