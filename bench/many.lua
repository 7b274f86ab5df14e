-- A listing in each of 16 sandboxes in turn; half of them belong to each thread of wrk.
local pages, at = {}, 0

function init(names)
  for number, name in ipairs(names) do
    pages[number] = wrk.format("GET", "/v1/spaces/space_abc123/threads?limit=20",
      {["X-API-Key"] = "ak_demo_owner", ["X-Mock-Sandbox"] = name})
  end
end

function request()
  at = at % #pages + 1
  return pages[at]
end
