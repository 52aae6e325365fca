-- For wrk: one request again and again, and the sums as one line of JSON.
-- wrk … -s wrk.lua URL -- METHOD PATH BODY TOKEN…; several tokens and bodies take turns.
local requests, turn = {}, 0

function init(args)
    for n = 4, #args do
        local variant, token = args[n]:match('^(.-)=(.*)$')
        local body = args[3]:gsub('VARIANT', variant)
        local path = args[2]:gsub('VARIANT', variant)
        local headers = {['Authorization'] = 'Bearer ' .. token}
        if body ~= '' then headers['Content-Type'] = 'application/json' end
        requests[#requests + 1] = wrk.format(args[1], path, headers, body ~= '' and body or nil)
    end
    turn = math.random(#requests)
end

function request()
    turn = turn % #requests + 1
    return requests[turn]
end

function done(summary, latency)
    local errors = summary.errors
    io.stderr:write(string.format(
        '{"requests": %d, "seconds": %f, "status": %d, "broken": %d, "p50_ms": %f, "p99_ms": %f}\n',
        summary.requests, summary.duration / 1e6, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
