-- Idea: URLs with ids or coordinates are all different. wrk.label names the requests that belong
-- together, so that each route has its own latencies in the result.
--
--   meshload -R 100 -d 10s -s lua/examples/routes.lua http://localhost:5000

local place = "lat=38.0235&lon=-122.095"

function request()
  if math.random() < 0.6 then
    wrk.label("search")
    local dates = string.format("inDate=2015-04-09&outDate=2015-04-%d", math.random(10, 24))
    return wrk.format("GET", "/hotels?" .. dates .. "&" .. place)
  end
  wrk.label("recommend")
  return wrk.format("GET", "/recommendations?require=price&" .. place)
end
