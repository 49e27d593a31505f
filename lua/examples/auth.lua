-- Idea: the script logs in first, then reuses the token from a header of the reply. Requests that
-- are due before the token has arrived log in as well.
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
  if status == 401 then token = nil end -- the token has expired: log in again
  token = token or headers["X-Token"]
end
