package problem_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/problem"
)

func TestCookie(t *testing.T) {
	for name, row := range map[string]struct {
		lines []string
		value string
		twice bool
		left  []string // after WithoutCookie
	}{
		"none":               {nil, "", false, nil},
		"another":            {[]string{"b=1"}, "", false, []string{"b=1"}},
		"it":                 {[]string{"a=1"}, "1", false, nil},
		"among others":       {[]string{"b=2; a=1;c=3"}, "1", false, []string{"b=2; c=3"}},
		"in quotes":          {[]string{`a="1"`}, "1", false, nil},
		"half a quote":       {[]string{`a="`}, `"`, false, nil},
		"blanks":             {[]string{"b=2;\t a =1 "}, "1", false, []string{"b=2"}},
		"empty":              {[]string{"a="}, "", false, nil},
		"without a value":    {[]string{"a"}, "", false, nil},
		"value with =":       {[]string{"a=x=y"}, "x=y", false, nil},
		"in a value alone":   {[]string{"b=a=1"}, "", false, []string{"b=a=1"}},
		"in a name alone":    {[]string{"aa=1; ba=2"}, "", false, []string{"aa=1; ba=2"}},
		"another case":       {[]string{"A=1"}, "", false, []string{"A=1"}},
		"odd bytes beside":   {[]string{"b=\"\\\x01; a=1"}, "1", false, []string{"b=\"\\\x01"}},
		"twice":              {[]string{"a=1; a=2"}, "", true, nil},
		"twice, one empty":   {[]string{"a=1; b=2; a="}, "", true, []string{"b=2"}},
		"twice in two lines": {[]string{"a=1", "c=3; a=1", "d=4"}, "", true, []string{"c=3", "d=4"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{"X": {"a=1"}}
			if row.lines != nil {
				h["Cookie"] = row.lines
			}
			value, refused := problem.Cookie(h, "a")
			if value != row.value || (refused != nil) != row.twice || refused != nil && refused.Status != http.StatusBadRequest {
				t.Errorf("%q, %+v", value, refused)
			}
			problem.WithoutCookie(h, "a")
			if diff := cmp.Diff(row.left, h["Cookie"]); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}
