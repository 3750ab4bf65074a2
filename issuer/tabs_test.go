package issuer_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tollgate/internal/testkit"
	"tollgate/internal/testkit/issuerkit"
	"tollgate/issuer"
)

// TestFiftyTabs: fifty tabs of one browser refresh with the same token at once, round
// after round. All get an answer, and there is exactly one successor. A replay after
// the grace ends the session, and its access token is refused.
func TestFiftyTabs(t *testing.T) {
	const tabs = 50
	k := opened(t, issuerkit.Options{Connections: tabs})
	// Not the kit's own client: it remembers each of a hundred thousand tokens, and
	// looks for them all in the log.
	transport := &http.Transport{MaxConnsPerHost: tabs, MaxIdleConnsPerHost: tabs}
	defer transport.CloseIdleConnections()
	tab := func(raw string) (status int, body string) {
		res, err := (&http.Client{Transport: transport}).Post(k.URL+"/api/token/refresh/", "application/json", strings.NewReader(`{"refresh":"`+raw+`"}`))
		if err != nil {
			return 0, err.Error()
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			return 0, err.Error()
		}
		return res.StatusCode, string(text)
	}
	held := k.MustLogin(t, "alice")
	var spent issuerkit.Pair
	for round := range tabRounds {
		answers := make([]issuerkit.Answer, tabs)
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range answers {
			wg.Go(func() {
				<-start
				// Where fifty of them are served at once, on a machine with other things to
				// do, Redis's time may run out for one: a client asks again.
				for try := 0; try < 20; try++ {
					if answers[i].Status, answers[i].Body = tab(held.Refresh); answers[i].Status != http.StatusServiceUnavailable {
						return
					}
				}
			})
		}
		close(start)
		wg.Wait()
		successors, accesses := map[string]bool{}, map[string]bool{}
		var next issuerkit.Pair
		for i, a := range answers {
			if a.Status != http.StatusOK {
				t.Fatalf("round %d: tab %d got %d %s", round, i, a.Status, a.Body)
			}
			a.Into(t, &next)
			successors[issuerkit.Text(t, next.Refresh, "jti")] = true
			accesses[issuerkit.Text(t, next.Access, "jti")] = true
		}
		if len(successors) != 1 || len(accesses) != 1 || issuerkit.Text(t, next.Refresh, "jti") == issuerkit.Text(t, held.Refresh, "jti") {
			t.Fatalf("round %d: %d successors, %d access tokens", round, len(successors), len(accesses))
		}
		spent, held = held, next
	}
	alive(t, k, held)
	k.Advance(2 * issuerkit.Grace)
	want(t, refresh(t, k, spent.Refresh), 401, blacklisted)
	ended(t, k, held)
}

// TestIssuerDiesBeforeItsAnswer: the client's connection is cut at each step of a
// refresh, as the death of the process does. The retry, with the token that the client
// still has, gets a working pair, and there is one line of tokens.
func TestIssuerDiesBeforeItsAnswer(t *testing.T) {
	var armed atomic.Pointer[func(step string)]
	cut := func(step string) {
		if f := armed.Load(); f != nil {
			(*f)(step)
		}
	}
	k := opened(t, issuerkit.Options{Connections: 8, Issuer: func(c *issuer.Config) {
		sign, directory := c.Sign, c.Users
		c.Users = &cuttingDirectory{Directory: directory, after: func() { cut("before the script") }}
		c.Sign = func(ctx context.Context, payload []byte, typ string) (string, string, error) {
			raw, kid, err := sign(ctx, payload, typ)
			cut(strings.Join([]string{"a token is signed", string(payload)}, "\n"))
			return raw, kid, err
		}
	}})
	u, err := url.Parse(k.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := testkit.MustProxy(t, u.Host)
	for name, at := range map[string]func(step string) bool{
		"before the script":         func(step string) bool { return step == "before the script" },
		"the access token signed":   func(step string) bool { return strings.Contains(step, `"token_type":"access"`) },
		"both signed, none is sent": func(step string) bool { return strings.Contains(step, `"token_type":"refresh"`) },
	} {
		t.Run(name, func(t *testing.T) {
			held := k.MustLogin(t, "alice")
			var died atomic.Bool
			kill := func(step string) {
				if at(step) {
					died.Store(true)
					proxy.Cut()
				}
			}
			armed.Store(&kill)
			res, err := http.Post("http://"+proxy.Addr+"/api/token/refresh/", "application/json", strings.NewReader(`{"refresh":"`+held.Refresh+`"}`))
			if err == nil {
				res.Body.Close()
				t.Fatalf("an answer came: %d", res.StatusCode)
			}
			armed.Store(nil)
			if !died.Load() {
				t.Fatalf("nothing was cut: %v", err)
			}
			first, second := k.MustRefresh(t, held.Refresh), k.MustRefresh(t, held.Refresh)
			if issuerkit.Text(t, first.Refresh, "jti") != issuerkit.Text(t, second.Refresh, "jti") {
				t.Error("two lines of tokens")
			}
			alive(t, k, second)
			k.MustRefresh(t, second.Refresh)
			list, err := k.Sessions.Get(t.Context(), issuerkit.Text(t, held.Access, "sid"))
			if err != nil || list.Generation != 3 {
				t.Errorf("generation %d, %v", list.Generation, err)
			}
		})
	}
}
