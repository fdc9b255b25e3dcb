-- wrk: reads of one todo, its id chosen by chance from the file that the variable IDS names.
local requests = {}
local random = math.random

function init(args)
  math.randomseed(1)
  for id in io.lines(os.getenv("IDS")) do
    requests[#requests + 1] = "GET /todos/" .. id .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
  end
end

function request()
  return requests[random(#requests)]
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "refused": %d, "errors": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
