package problem_test

import (
	"net/http"
	"testing"

	"tollgate/internal/problem"
)

func TestBearer(t *testing.T) {
	bearer, several := []string{"Bearer"}, []string{"Bearer", "JWT"}
	for name, row := range map[string]struct {
		values  []string
		schemes []string
		token   string
		refused *problem.Refusal
	}{
		"no header":               {nil, bearer, "", nil},
		"empty":                   {[]string{""}, bearer, "", nil},
		"blanks":                  {[]string{" \t "}, bearer, "", nil},
		"one token":               {[]string{"Bearer a.b.c"}, bearer, "a.b.c", nil},
		"scheme in another case":  {[]string{"bEARER a"}, bearer, "a", nil},
		"blanks and tabs":         {[]string{"  Bearer \t a  "}, bearer, "a", nil},
		"second scheme":           {[]string{"jwt a"}, several, "a", nil},
		"another scheme":          {[]string{"Basic a"}, several, "", nil},
		"scheme as a beginning":   {[]string{"Bearers a"}, bearer, "", nil},
		"bare token":              {[]string{"a.b.c"}, bearer, "", nil},
		"another with two values": {[]string{"Digest a b"}, bearer, "", nil},
		"scheme alone":            {[]string{"Bearer"}, bearer, "", problem.BadHeader()},
		"scheme and blank":        {[]string{"Bearer "}, bearer, "", problem.BadHeader()},
		"two tokens":              {[]string{"Bearer a b"}, bearer, "", problem.BadHeader()},
		"two joined by a comma":   {[]string{"Bearer a, Bearer b"}, bearer, "", problem.BadHeader()},
		"other blanks are none":   {[]string{"Bearer\u00a0a"}, bearer, "", nil},
		"twice":                   {[]string{"Bearer a", "Bearer a"}, bearer, "", problem.Twice()},
		"twice, one of another":   {[]string{"Basic a", "Bearer a"}, bearer, "", problem.Twice()},
		"no scheme at all":        {[]string{"Bearer a"}, nil, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{"X-Authorization": {"Bearer x"}, "Cookie": {"Authorization=Bearer x"}}
			if row.values != nil {
				h["Authorization"] = row.values
			}
			token, refused := problem.Bearer(h, row.schemes)
			if token != row.token || (refused == nil) != (row.refused == nil) {
				t.Fatalf("%q, %+v", token, refused)
			}
			if refused != nil && (refused.Status != row.refused.Status || refused.Fault != row.refused.Fault) {
				t.Errorf("refused with %+v", refused)
			}
		})
	}
}
