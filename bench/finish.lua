-- What wrk saw, as one line of JSON; latencies in microseconds.
done = function(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    '\n{"microseconds":%d,"requests":%d,"errors":%d,"p50":%d,"p90":%d,"p99":%d,"p999":%d}\n',
    summary.duration, summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency:percentile(99.9)))
end
