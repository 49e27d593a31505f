-- The `wrk` table that scripts use: the fields and functions of wrk and wrk2, and label and fail.
--
-- This file runs once in every Lua state, before the script. `native` holds the functions written in Rust.

local native = ...
local concat = table.concat

url = native.url -- a global of DeathStarBench's fork of wrk2; its media scripts use it

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

-- Writes header lines into `parts` from index `n` on; each value of a list becomes a line of its own.
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

-- The default of the Host header.
local function authority()
  local host = wrk.host:find(":", 1, true) and "[" .. wrk.host .. "]" or wrk.host
  return wrk.port and host .. ":" .. wrk.port or host
end

local parts = {} -- one table is reused for all requests

-- Returns the text of a request. Sets Host and Content-Length in the given headers table, because
-- scripts rely on finding them there.
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
    -- Most requests have only the Host header: one concatenation makes their text.
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

-- Resolves a name and sets wrk.addrs to the addresses that accept a connection.
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
  -- The text is made once: a script without request() sends the same text every time.
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
  -- --seed makes a run repeatable, so the script may not seed its random numbers itself.
  math.randomseed = function() end
end

-- Buffering by lines keeps the output of scripts in order with that of the program.
io.stdout:setvbuf("line")
if native.prints_to_stderr then
  io.output(io.stderr)
  io.stdout = io.stderr -- scripts also write to io.stdout by name
  print = function(...)
    local texts = {}
    for i = 1, select("#", ...) do
      texts[i] = tostring((select(i, ...)))
    end
    io.stderr:write(concat(texts, "\t") .. "\n") -- one write, because other threads print, too
  end
end
