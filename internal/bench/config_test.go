//go:build bench

package bench

// backendConf: directory, address, key set.
const backendConf = `worker_processes 1; worker_rlimit_nofile 20000; daemon off; pid %[1]s/backend.pid; error_log %[1]s/backend.err;
events { worker_connections 16384; }
http { access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
 server { listen %[2]s backlog=8192;
  location / { default_type application/json; return 200 '{"hello":"world","padding":"0123456789012345678901234567890123456789012345678901234567890123456789"}'; }
  location = /jwks.json { default_type application/json; return 200 '%[3]s'; } } }
`

// plainConf is nginx that checks nothing: directory, back end, address.
const plainConf = `worker_processes 1; worker_rlimit_nofile 20000; daemon off; pid %[1]s/plain.pid; error_log %[1]s/plain.err;
events { worker_connections 16384; }
http { access_log off; keepalive_requests 100000000;
 upstream u { server %[2]s; keepalive 256; keepalive_requests 100000000; }
 server { listen %[3]s backlog=8192;
  location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; } } }
`

// haproxyConf is HAProxy with its own check of tokens: address, map of revoked ids,
// algorithm, key, back end.
const haproxyConf = `global
  maxconn 8000
  nbthread 1
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  http-reuse always
frontend fe
  bind %[1]s
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request set-var(txn.jti) var(txn.bearer),jwt_payload_query('$.jti')
  http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss')
  http-request set-var(txn.sub) var(txn.bearer),jwt_payload_query('$.sub')
  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless { var(txn.iss) -m str https://issuer.test }
  http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
  http-request deny deny_status 401 if { var(txn.jti),map_str(%[2]s) -m found }
  http-request set-header X-User-Id %%[var(txn.sub)]
  http-request deny deny_status 401 unless { var(txn.alg) -m str %[3]s } { var(txn.bearer),jwt_verify(txn.alg,"%[4]s") -m int 1 }
  default_backend be
backend be
  server u1 %[5]s
`

// tokensLua has wrk send the tokens of a file in turn. Many are read as they are asked
// for: a million would not fit into its memory.
const tokensLua = `local file = assert(io.open(os.getenv("TOKENS")))
local few, i = {}, 0
for _ = 1, 60000 do
  local line = file:read("*l")
  if not line then break end
  few[#few+1] = "Bearer " .. line
end
local all = file:read(0) == nil
if not all then file:seek("set") end
request = function()
  local value
  if all then
    i = i % #few + 1
    value = few[i]
  else
    local line = file:read("*l")
    if not line then file:seek("set"); line = file:read("*l") end
    value = "Bearer " .. line
  end
  return wrk.format("GET", "/api/hello", {["Authorization"] = value})
end
done = function(_, latency)
  io.write(string.format("   99.9%%   %.2fms\n", latency:percentile(99.9) / 1000))
end
`
