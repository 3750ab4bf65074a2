// Package revocationsim holds the simulation of many edges: mirrors and registrars as
// they run in production, hundreds of them in one process, behind one redis-server, with
// restarts and partitions while revocations are made. It checks that every mirror ends up
// with exactly what Redis holds and that no answer on the way was wrong, and measures how
// late mirrors were and what each edge costs Redis. All of it is tests; docs/scale.md
// carries the figures further. It must not know the insides of a mirror.
package revocationsim
