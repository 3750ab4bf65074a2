package upstream

import (
	"net"
	"net/http"
	"testing"
)

// TestWhatIsAskedFor reads the request as the target sees it.
func TestWhatIsAskedFor(t *testing.T) {
	for _, c := range []struct{ base, path, want string }{
		{"", "/", "/"},
		{"/", "/a", "/a"},
		{"", "/a%2Fb/%41?x=%20&y", "/a%2Fb/%41?x=%20&y"},
		{"/base", "/a", "/base/a"},
		{"/base/", "/", "/base/"},
		{"/base/", "/a/", "/base/a/"},
		{"/b%2Fc", "/a", "/b%2Fc/a"},
		{"/b%2F", "/a", "/b%2F/a"},
		{"/b%20c", "/%c3%a4;v=1?q", "/b%20c/%c3%a4;v=1?q"},
		{"/base", "/a?", "/base/a?"},
		{"/base", "/x%25y", "/base/x%25y"},
	} {
		t.Run(c.base+" "+c.path, func(t *testing.T) {
			seen := make(chan string, 1)
			b := mustRaw(t, func(_ int, r *http.Request, conn net.Conn) bool {
				seen <- r.RequestURI
				return write(conn, answerOK)
			})
			u := mustUpstream(t, Config{URLs: []string{b.URL + c.base}})
			r := request(t, http.MethodGet, c.path, "")
			if _, err := ask(u, r); err != nil {
				t.Fatal(err)
			}
			if got := <-seen; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if r.URL.Host != "" || r.URL.Scheme != "" {
				t.Errorf("the caller's request was changed: %v", r.URL)
			}
		})
	}
}

// TestOnlyTheTargetIsDialled: nothing in the request leads elsewhere.
func TestOnlyTheTargetIsDialled(t *testing.T) {
	other := mustBackend(t, nil)
	hosts := make(chan string, 1)
	b := mustBackend(t, func(w http.ResponseWriter, r *http.Request) { hosts <- r.Host })
	u := mustUpstream(t, Config{URLs: []string{b.URL}})
	t.Setenv("HTTP_PROXY", other.URL)
	for _, host := range []string{"", other.Listener.Addr().String(), "shop.example.com"} {
		r := request(t, http.MethodGet, "/", "")
		r.URL.Scheme, r.URL.Host, r.URL.Opaque, r.Host = "https", other.Listener.Addr().String(), "//elsewhere/", host
		if _, err := ask(u, r); err != nil {
			t.Fatal(err)
		}
		want := host
		if want == "" {
			want = b.Listener.Addr().String()
		}
		if got := <-hosts; got != want {
			t.Errorf("Host %q, want %q", got, want)
		}
	}
	if other.hits.Load() != 0 {
		t.Error("somebody else was asked")
	}
}
