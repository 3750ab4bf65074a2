// Package server is the life of the process: several HTTP listeners that open
// together, background work, and an orderly end.
//
// It owns the limits on connections and requests, TLS with its certificate, the
// protocols that each listener speaks, the order of shutting down and the draining
// flag. It must not know what the listeners serve or what the work is.
//
// What a client can hold up, and for how long:
//
//	the handshake and the header   ReadHeaderTimeout; MaxHeaderBytes, MaxHeaderFields
//	the body                       BodyIdleTimeout without a byte, while it is read
//	an answer                      AnswerIdleTimeout in which it takes nothing of it
//	a connection without requests  IdleTimeout; over HTTP/2 pings besides
//	requests at once               250 on one HTTP/2 connection
//	handshakes at once             8,192 on a listener; more wait in the kernel
//
// A request that no handler gets to see is refused by net/http, with a 4xx and the
// connection's end; its 501 and 505 go out as 400.
//
// How long an answer may take, and how long a body may be, is for the routes to say.
//
// The order of the end, once the context of [Server.Run] is done:
//
//	draining     Draining() is true, so readiness fails; workers are told to stop;
//	             answers carry Connection: close; requests are still served
//	             for ShutdownDelay, while load balancers look elsewhere
//	closing      the listeners close, whether the workers have stopped or not;
//	             requests in flight have ShutdownTimeout
//	cutting      what is left is cut: tunnels at once, requests at the timeout
//	last         listeners added by AddLast close (health, metrics)
//	supports     what the requests needed stops: the key ring's loop, the feed
//
// Hence two groups of background work. [Server.Worker] is for work that no
// request waits for (sweeps, polling of files): it is told to stop first.
// [Server.Support] is for work that requests depend on (the loop that confirms the
// key ring before each signature): it outlives the last request.
package server
