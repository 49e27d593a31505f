-- Idea: the load is spread evenly over the addresses of one name. The first call of setup resolves
-- the name and keeps the addresses that accept a connection; each thread gets the next one in turn.
--
--   meshload -t 4 -c 40 -R 100 -d 10s -s lua/examples/addrs.lua http://frontend:5000/

local addresses
local threads = 0

function setup(thread)
  if not addresses then
    addresses = {}
    for _, address in ipairs(wrk.lookup(wrk.host, wrk.port or wrk.scheme)) do
      if wrk.connect(address) then table.insert(addresses, address) end
    end
    if #addresses == 0 then error("no address of " .. wrk.host .. " can be connected to") end
  end
  thread.addr = addresses[threads % #addresses + 1]
  threads = threads + 1
  print("thread " .. threads .. " loads " .. tostring(thread.addr))
end
