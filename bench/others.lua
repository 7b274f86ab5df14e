-- The same page of each space in turn: a page that was asked for long ago, for the ids given are many.
local pages, count, at = {}, 0, -1  -- wrk throws the first request away

function init(spaces)
  for _, space in ipairs(spaces) do
    pages[count] = wrk.format("GET", string.format("/v1/spaces/%s/threads?limit=50", space))
    count = count + 1
  end
end

function request()
  at = at + 1
  return pages[at % count]
end
