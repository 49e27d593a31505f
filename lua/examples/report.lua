-- Idea: done prints a report of its own. Times are in microseconds.
--
--   meshload -R 100 -d 10s -s lua/examples/report.lua http://localhost:5000/

function done(summary, latency, requests)
  print(string.format("%d requests in %.2f s, mean %.2f ms, max %.2f ms", summary.requests,
    summary.duration / 1e6, latency.mean / 1e3, latency.max / 1e3))
  for _, p in ipairs { 50, 90, 99, 99.9, 99.99 } do
    print(string.format("p%-6g %10.2f ms", p, latency:percentile(p) / 1e3))
  end
  local errors = summary.errors
  print(string.format("errors: connect %d, read %d, write %d, status %d, timeout %d",
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
