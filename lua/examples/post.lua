-- Idea: every request POSTs the same JSON body. The fields of `wrk` describe the default request,
-- which is made once, so nothing is computed per request.
--
--   meshload -R 100 -d 10s -s lua/examples/post.lua http://localhost:5000/

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"username":"Cornell_7","password":"7777777777"}'
