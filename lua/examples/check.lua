-- Idea: a reply may be wrong although its status is 200. HotelReservation answers a wrong password
-- with 200; wrk.fail counts such a reply as failed, with the reason.
--
--   meshload -R 100 -d 10s -s lua/examples/check.lua http://localhost:5000

function request()
  local id = math.random(0, 600) -- ids above 500 are not users
  return wrk.format("POST", "/user?username=Cornell_" .. id
    .. "&password=" .. string.rep(tostring(id), 10))
end

function response(status, headers, body)
  if status == 200 and not body:find("successfully", 1, true) then
    wrk.fail("login refused")
  end
end
