-- Idea: a batch of requests is sent in one piece, without waiting for the replies in between (HTTP
-- pipelining). init makes the batch once; the batch's size is the script's first argument.
--
--   meshload -R 100 -d 10s -s lua/examples/pipeline.lua http://localhost:5000 -- 4

local batch

function init(args)
  local depth = tonumber(args[1]) or 3
  local requests = {}
  for i = 1, depth do
    requests[i] = wrk.format("GET", "/?request=" .. i)
  end
  batch = table.concat(requests)
end

function request()
  return batch
end
