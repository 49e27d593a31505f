-- The part of luasocket that load scripts use: gettime (seconds with fractions) and sleep.
--
-- gettime never returns the same microsecond twice in a process, so threads that seed their random
-- numbers from it do not run in lockstep. All other names are taken from an installed luasocket.

local native = ...

local socket = {}

function socket.gettime()
  return native.time_us() / 1e6
end

socket.sleep = native.sleep

local installed

local function find_installed(name)
  for _, pattern in ipairs { package.path, package.cpath } do
    for template in pattern:gmatch("[^;]+") do
      local file = template:gsub("%?", "socket")
      local opened = io.open(file)
      if opened then
        opened:close()
        local load = pattern == package.path and loadfile(file)
          or package.loadlib(file, "luaopen_socket")
        if load then
          return load("socket")
        end
      end
    end
  end
  error("socket." .. tostring(name) .. " is not there: meshload brings gettime and sleep; "
    .. "install luasocket for LuaJIT (Lua 5.1) for the rest", 3)
end

return setmetatable(socket, {
  __index = function(_, name)
    installed = installed or find_installed(name)
    return installed[name]
  end,
})
