package main

import "strings"

// name says which Redis the settings mean, without a password.
func (s *RedisSettings) name() string {
	t := s.URL.target
	switch {
	case s.URL.Embedded():
		return "embedded"
	case t.master != "":
		return t.master + " by the sentinels " + strings.Join(t.addrs, ", ")
	}
	return strings.Join(t.addrs, ", ")
}
