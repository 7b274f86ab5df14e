-- Threads are added to spaces and taken out again, half a lap later: never one that is not in there.
-- The arguments are the ids of the spaces; in each of them the same hundred threads come and go.
local adds, removes, count, half = {}, {}, 0, 0
local at = -1  -- wrk throws the first request away

function init(spaces)
  for _, space in ipairs(spaces) do
    for thread = 1, 100 do
      local path = string.format("/v1/spaces/%s/threads/thrd_team%03d", space, thread)
      adds[count] = wrk.format("POST", path)
      removes[count] = wrk.format("DELETE", path)
      count = count + 1
    end
  end
  half = math.floor(count / 2)
end

-- The first half is in its spaces when the load begins.
function request()
  local step = math.floor(at / 2)
  local one = at % 2 == 0 and adds[(step + half) % count] or removes[step % count]
  at = at + 1
  return one
end
