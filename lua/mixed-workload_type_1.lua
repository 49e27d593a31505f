-- The HotelReservation mix, type 1: what guests do, and how often.
--
--   60   %  GET  /hotels           search near a place, for a stay that ends by the 24th
--   39   %  GET  /recommendations  by distance (33 %), rating (33 %) or price (34 %)
--    0.5 %  POST /user             log in
--    0.5 %  POST /reservation      book one of the 80 hotels for up to five nights
--
--   meshload -R 800 -d 60s -s lua/mixed-workload_type_1.lua http://localhost:5000
--
-- Each target is an absolute URL that names localhost:5000, wherever the requests are sent: servers
-- and proxies answer to the path, and the Host header comes from the URL on the command line.

local socket = require "socket"

-- Milliseconds differ from run to run; LuaJIT and Lua 5.1 both take a seed of 31 bits.
math.randomseed((socket.gettime() * 1000) % 2 ^ 31)

local random, format = math.random, wrk.format
local origin = "http://localhost:5000"
local no_headers = {} -- wrk.format adds the Host header once, and finds it there from then on

-- All texts that a request is put together from are written once.
local dates, latitudes, longitudes, users, passwords = {}, {}, {}, {}, {}
for day = 1, 31 do
  dates[day] = string.format("2015-04-%02d", day)
end
for step = 0, 481 do
  latitudes[step] = "&lat=" .. 38.0235 + (step - 240.5) / 1000
end
for step = 0, 325 do
  longitudes[step] = "&lon=" .. -122.095 + (step - 157.0) / 1000
end
for id = 0, 500 do
  users[id] = "Cornell_" .. id
  passwords[id] = string.rep(tostring(id), 10)
end

-- Two texts, not one: what is joined only in the URL costs no string of its own.
local function place()
  return latitudes[random(0, 481)], longitudes[random(0, 325)]
end

local function search_hotels()
  local day = random(9, 23)
  local lat, lon = place()
  return format("GET", origin .. "/hotels?inDate=" .. dates[day]
    .. "&outDate=" .. dates[random(day + 1, 24)] .. lat .. lon, no_headers)
end

local function recommend()
  local coin = random()
  local wish = coin < 0.33 and "dis" or coin < 0.66 and "rate" or "price"
  local lat, lon = place()
  return format("GET", origin .. "/recommendations?require=" .. wish .. lat .. lon, no_headers)
end

local function log_in()
  local id = random(0, 500)
  return format("POST", origin .. "/user?username=" .. users[id]
    .. "&password=" .. passwords[id], no_headers)
end

local function reserve()
  local day, id = random(9, 23), random(0, 500)
  local lat, lon = place()
  return format("POST", origin .. "/reservation?inDate=" .. dates[day]
    .. "&outDate=" .. dates[day + random(1, 5)] .. lat .. lon
    .. "&hotelId=" .. random(1, 80) .. "&customerName=" .. users[id]
    .. "&username=" .. users[id] .. "&password=" .. passwords[id] .. "&number=1", no_headers)
end

function request()
  local coin = random()
  if coin < 0.60 then return search_hotels() end
  if coin < 0.99 then return recommend() end
  if coin < 0.995 then return log_in() end
  return reserve()
end
