-- wrk: 40 % creates, 30 % updates, 30 % deletes. A todo is taken out of the list while a request for it is under way,
-- so no request is ever refused.
local ids, count = {}, 0
local head = " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
local body = '{"text":"buy milk, bread and a newspaper"}'
local with_body = head .. #body .. "\r\n\r\n" .. body
local create = "POST /todos" .. with_body
local random = math.random

local function take()
  local at = random(count)
  local id = ids[at]
  ids[at] = ids[count]
  ids[count] = nil
  count = count - 1
  return id
end

function init(args)
  math.randomseed(1)
end

function request()
  local chance = random()
  if chance < 0.4 or count == 0 then
    return create
  elseif chance < 0.7 then
    return "PUT /todos/" .. take() .. with_body
  end
  return "DELETE /todos/" .. take() .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
end

function response(status, headers, answer)
  if status == 201 or status == 200 then
    local id = answer:match('"stream":"([^"]+)"')
    if id then
      count = count + 1
      ids[count] = id
    end
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "refused": %d, "errors": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
