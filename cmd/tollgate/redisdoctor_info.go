package main

import (
	"strconv"
	"strings"
	"time"
)

// redisServer is what one server says of itself.
type redisServer struct {
	where string
	// err is why it could not be asked to the end.
	err error
	// info is its INFO, config what CONFIG GET says; nil where that is forbidden.
	info, config map[string]string
	forbidden    []string // the commands that it refused
	// ahead is by how much its clock is ahead of ours, negative when behind.
	ahead time.Duration
}

// parseInfo reads the lines of INFO, CLUSTER INFO and the like.
func parseInfo(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, found := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if found && !strings.HasPrefix(name, "#") {
			out[name] = value
		}
	}
	return out
}

// number is a field that is a whole number; not ok where it is missing.
func (s *redisServer) number(field string) (int64, bool) {
	n, err := strconv.ParseInt(s.info[field], 10, 64)
	return n, err == nil
}

// replicas counts those that are connected, and of them those that are in step.
func (s *redisServer) replicas() (connected, online int) {
	n, _ := s.number("connected_slaves")
	for i := range n {
		if strings.Contains(","+s.info["slave"+strconv.FormatInt(i, 10)]+",", ",state=online,") {
			online++
		}
	}
	return int(n), online
}

// olderThan reports whether the server's version is known and below major.minor.
func (s *redisServer) olderThan(major, minor int) bool {
	parts := strings.SplitN(s.info["redis_version"], ".", 3)
	if len(parts) < 2 {
		return false
	}
	a, errA := strconv.Atoi(parts[0])
	b, errB := strconv.Atoi(parts[1])
	return errA == nil && errB == nil && (a < major || a == major && b < minor)
}
