package testkit_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tollgate/internal/testkit"
)

// TestCut: which commands of four fail, and which of them the server has executed.
func TestCut(t *testing.T) {
	for name, row := range map[string]struct {
		cut    testkit.Cut
		failed string
		done   string
	}{
		"at once":        {testkit.Cut{}, "0 1 2 3", ""},
		"later":          {testkit.Cut{After: 2}, "2 3", "0 1"},
		"once":           {testkit.Cut{After: 1, Once: true}, "1", "0 2 3"},
		"deaf":           {testkit.Cut{After: 2, Deaf: true}, "2 3", "0 1 2"},
		"deaf, and once": {testkit.Cut{After: 1, Once: true, Deaf: true}, "1", "0 1 2 3"},
		"never":          {testkit.Cut{After: 4}, "", "0 1 2 3"},
	} {
		t.Run(name, func(t *testing.T) {
			server, client := testkit.MustMini(t)
			client.Ping(t.Context()) // connects: the handshake is no command of ours
			client.AddHook(row.cut.Hook())
			var failed, done []string
			for i := range 4 {
				key := fmt.Sprint(i)
				var err error
				if i == 3 { // a pipeline counts once
					p := client.Pipeline()
					p.Set(t.Context(), key, "x", 0)
					p.Set(t.Context(), key, "y", 0)
					_, err = p.Exec(t.Context())
				} else {
					err = client.Set(t.Context(), key, "x", 0).Err()
				}
				if err != nil {
					failed = append(failed, key)
					if !errors.Is(err, testkit.ErrCut) {
						t.Errorf("%d: %v", i, err)
					}
				}
				if server.Exists(key) {
					done = append(done, key)
				}
			}
			if !slices.Equal(failed, strings.Fields(row.failed)) || !slices.Equal(done, strings.Fields(row.done)) {
				t.Errorf("failed %v, want %s; done %v, want %s", failed, row.failed, done, row.done)
			}
		})
	}
}
