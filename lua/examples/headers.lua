-- Idea: one header changes with every request, here an id that also appears in the server's logs and
-- traces. The prefix keeps the ids of several threads apart.
--
--   meshload -R 100 -d 10s -s lua/examples/headers.lua http://localhost:5000/

local prefix = tostring({}):match("0x(%x+)")
local sent = 0

function request()
  sent = sent + 1
  wrk.headers["X-Request-Id"] = prefix .. "-" .. sent
  return wrk.format()
end
