-- Idea: requests are put off at random, by 10 to 50 ms. delay answers in milliseconds; a request's
-- latency counts from the moment it was put off to, because the script itself wanted that.
--
--   meshload -R 100 -d 10s -s lua/examples/delay.lua http://localhost:5000/

function delay()
  return math.random(10, 50)
end
