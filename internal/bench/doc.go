// Package bench measures the built program from outside, on real processes: what a
// request costs at the edge beside other people's proxies, whether that stays so as
// tokens, revocations, routes and clients grow in number, and how it is after a minute
// of full load. It holds tests alone, behind the build tag bench: `make bench-edge`,
// `make bench-flat`, `make bench-soak`, `make bench-latency`, `make profile`.
//
// It must not know how tollgate works inside: it has the binary, its environment and
// its files, and for a crowd of revocations the form of the feed in Redis.
//
// # Method
//
// Two cores are needed. The proxy that is measured runs alone on core 0; the back end
// (nginx with one fixed answer of 100 bytes), Redis and the load (wrk) share core 1.
// What is compared is processor time for each request, user and system, of the proxy's
// processes, out of /proc: it holds on a machine that other work uses, where requests
// a second do not. Each round runs every proxy once; the figures are medians over the
// rounds. Only answers of 2xx count; any other fails the run.
//
// Warm is a thousand tokens that are seen many times, cold a new token in every
// request.
package bench
