-- Idea: log in first, then reuse the token that the reply carries in a header. Requests that are
-- due before the token has come log in as well.
--
--   meshload -R 100 -d 10s -s lua/examples/auth.lua http://localhost:8080 -- /login /orders

local login, path = "/login", "/"
local token

function init(args)
  login, path = args[1] or login, args[2] or path
end

function request()
  if not token then return wrk.format("POST", login) end
  wrk.headers["Authorization"] = "Bearer " .. token
  return wrk.format("GET", path)
end

function response(status, headers)
  if status == 401 then token = nil end -- expired: log in again
  token = token or headers["X-Token"]
end
