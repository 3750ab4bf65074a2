package revocation

import "testing"

// TestParseEvictions reads INFO; what is no number, or is not there, is no eviction.
func TestParseEvictions(t *testing.T) {
	for info, want := range map[string]evictions{
		"# Server\r\nrun_id:abc\r\n# Stats\r\nevicted_keys:7\r\nexpired_keys:9\r\n": {"abc", 7},
		"# Stats\r\nevicted_keys:7\r\n":                                             {"", 7},
		"run_id:abc\r\n":                                                            {"abc", 0},
		"run_id:abc\r\nevicted_keys:many\r\n":                                       {},
		"run_id:abc\r\nevicted_keys:-1\r\n":                                         {},
		"":                                                                          {},
		"# Stats\r\ntotal_connections_received:3\r\n":                               {},
	} {
		if got := parseEvictions(info); got != want {
			t.Errorf("%q: %+v, want %+v", info, got, want)
		}
	}
	if got := (evictions{"abc", 7}).String(); got != "abc 7" {
		t.Error(got)
	}
}
