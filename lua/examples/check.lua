-- Idea: a reply may be wrong although its status is 200. The hotel answers so to a wrong password;
-- wrk.fail counts such a reply as failed, with the reason.
--
--   meshload -R 100 -d 10s -s lua/examples/check.lua http://localhost:5000

function request()
  local id = math.random(0, 600) -- those above 500 are no users
  return wrk.format("POST", "/user?username=Cornell_" .. id
    .. "&password=" .. string.rep(tostring(id), 10))
end

function response(status, headers, body)
  if status == 200 and not body:find("successfully", 1, true) then
    wrk.fail("login refused")
  end
end
