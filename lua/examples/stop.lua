-- Idea: a thread ends its own run after a number of responses, whatever -d says. Requests that would
-- have been due later are not sent.
--
--   meshload -t 1 -c 1 -R 100 -d 60s -s lua/examples/stop.lua http://localhost:5000/ -- 250

local limit, responses = 100, 0

function init(args)
  limit = tonumber(args[1]) or limit
end

function response()
  responses = responses + 1
  if responses == limit then wrk.thread:stop() end
end
