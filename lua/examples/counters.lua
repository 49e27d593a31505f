-- Idea: threads share nothing while they run. setup gives each thread its number, each thread counts
-- in its own globals, and done reads the counters of all threads.
--
--   meshload -t 2 -c 10 -R 100 -d 10s -s lua/examples/counters.lua http://localhost:5000/

local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("id", #threads)
end

function init() requests = 0 end -- must be a global: thread:get cannot read locals

function request()
  requests = requests + 1
  return wrk.format("GET", "/?thread=" .. id)
end

function done()
  for _, thread in ipairs(threads) do
    print(string.format("thread %d made %d requests", thread:get("id"), thread:get("requests")))
  end
end
