-- Idea: each request is delayed at random, by 10 to 50 ms. delay returns milliseconds. A request's
-- latency counts from the end of the delay, because the script itself asked for the delay.
--
--   meshload -R 100 -d 10s -s lua/examples/delay.lua http://localhost:5000/

function delay()
  return math.random(10, 50)
end
