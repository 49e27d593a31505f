-- The `wrk` table that scripts are written against: what wrk and wrk2 offer, and label and fail.
--
-- Runs once in every state, before the script. What needs the world comes in as `native`.

local native = ...
local concat = table.concat

url = native.url -- a global of DeathStarBench's fork, which its media scripts use

wrk = {
  scheme = native.scheme,
  host = native.host,
  port = native.port,
  method = "GET",
  path = native.path,
  headers = native.headers,
  body = nil,
  thread = native.thread,
  addrs = native.addrs,
  lookup = native.lookup,
  connect = native.connect,
  time_us = native.time_us,
  label = native.label, -- names the route of the request that is being made
  fail = native.fail, -- inside response(): the reply counts as failed, for this reason
}

local wrk = wrk

-- Writes header lines into `parts` from `n` on; a list of values becomes a line each.
local function add_headers(parts, n, headers)
  for name, value in pairs(headers) do
    if type(value) == "table" then
      for _, one in ipairs(value) do
        parts[n], parts[n + 1], parts[n + 2], parts[n + 3] = name, ": ", tostring(one), "\r\n"
        n = n + 4
      end
    else
      parts[n], parts[n + 1], parts[n + 2], parts[n + 3] = name, ": ", tostring(value), "\r\n"
      n = n + 4
    end
  end
  return n
end

-- What the Host header says when nobody has set it.
local function authority()
  local host = wrk.host:find(":", 1, true) and "[" .. wrk.host .. "]" or wrk.host
  return wrk.port and host .. ":" .. wrk.port or host
end

local parts = {} -- used again for every request

-- The text of a request. Sets Host and Content-Length in the headers table that it is given,
-- because scripts rely on finding them there.
function wrk.format(method, path, headers, body)
  method, path = method or wrk.method, path or wrk.path
  headers, body = headers or wrk.headers, body or wrk.body
  local host = headers["Host"]
  if not host then
    host = wrk.headers["Host"] or authority()
    headers["Host"] = host
  end
  if not body then
    headers["Content-Length"] = nil
    -- Most requests have no header but Host: one concatenation makes their text.
    if next(headers) == "Host" and next(headers, "Host") == nil and type(host) == "string" then
      return method .. " " .. path .. " HTTP/1.1\r\nHost: " .. host .. "\r\n\r\n"
    end
  else
    headers["Content-Length"] = string.len(body)
  end
  parts[1], parts[2], parts[3], parts[4] = method, " ", path, " HTTP/1.1\r\n"
  local n = add_headers(parts, 5, headers)
  parts[n], parts[n + 1] = "\r\n", body or ""
  return concat(parts, "", 1, n + 1)
end

-- Resolves a name into wrk.addrs, without the addresses that refuse a connection.
function wrk.resolve(host, service)
  local answering = {}
  for _, addr in ipairs(wrk.lookup(host, service)) do
    if wrk.connect(addr) then
      answering[#answering + 1] = addr
    end
  end
  wrk.addrs = answering
end

function wrk.setup(thread)
  if type(setup) == "function" then
    setup(thread)
  end
end

function wrk.init(args)
  wrk.headers["Host"] = wrk.headers["Host"] or authority()
  if type(init) == "function" then
    init(args)
  end
  -- Made once: a script without request() sends the same text every time.
  local made, text = pcall(wrk.format)
  wrk.request = function()
    if not made then
      error(text, 0)
    end
    return text
  end
end

math.randomseed(native.random_seed)
if native.seed_pinned then
  -- --seed makes a run repeatable, whatever the script would seed its numbers from.
  math.randomseed = function() end
end

-- By lines, so that what scripts print stays in order with what the program prints.
io.stdout:setvbuf("line")
if native.prints_to_stderr then
  io.output(io.stderr)
  io.stdout = io.stderr -- scripts write to it by name, too
  print = function(...)
    local texts = {}
    for i = 1, select("#", ...) do
      texts[i] = tostring((select(i, ...)))
    end
    io.stderr:write(concat(texts, "\t") .. "\n") -- in one piece: other threads print, too
  end
end
